/** The newest picture of a source at the size of its tile, with its own boxes. Nothing is fetched that cannot be seen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePage } from '../../page-context.ts';
import { FaceBoxes, facesWords } from '../../parts/face-boxes.tsx';
import type { Picture } from '../../sources.ts';
import type { TilePictures } from './tile-pictures.ts';

export interface TilePictureProps {
  /** Of the source, which has a picture. */
  readonly id: string;
  readonly name: string;
  readonly pictures: TilePictures;
}

/** Asks for pictures and paints them by itself: drawn again only where there is something else to say of them than before. */
export function TilePicture({ id, name, pictures }: TilePictureProps) {
  const { sources } = usePage();
  const [shown, setShown] = useState<Picture | null>(null);
  const [missing, setMissing] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    let visible = false;
    let shownUrl: string | null = null;
    const taker = {
      key: id,
      newest() {
        const picture = sources.get(id)?.picture ?? null;
        return frame.current === null || picture?.url === shownUrl ? null : picture;
      },
      size: () => ({
        width: Math.round(frame.current!.clientWidth * devicePixelRatio),
        height: Math.round(frame.current!.clientHeight * devicePixelRatio),
      }),
      show(bitmap: ImageBitmap | null, picture: Picture) {
        shownUrl = picture.url;
        setMissing(bitmap === null);
        if (bitmap === null || canvas.current === null) return;
        paint(canvas.current, bitmap);
        setShown((before) => (before !== null && looksAlike(before, picture) ? before : picture));
      },
    };
    const want = () => {
      if (visible && document.visibilityState === 'visible') pictures.want(taker);
    };
    const observer = new IntersectionObserver(
      (entries) => {
        visible = entries.at(-1)!.isIntersecting;
        want();
      },
      { rootMargin: '100px' },
    );
    observer.observe(frame.current!);
    document.addEventListener('visibilitychange', want);
    const stop = sources.onChange(id, want);
    return () => {
      stop();
      observer.disconnect();
      document.removeEventListener('visibilitychange', want);
      pictures.forget(id);
    };
  }, [id, sources, pictures]);

  const { width, height, faces } = shown ?? sources.get(id)?.picture ?? NOTHING;
  return (
    <div ref={frame} class="live-picture" style={{ '--ratio': `${width / height}` }}>
      <canvas ref={canvas} role="img" aria-label={shown ? `${name}: ${facesWords(faces)}` : name} />
      {shown !== null && <FaceBoxes faces={faces} width={width} height={height} />}
      {missing && shown === null && <p class="no-picture">The last picture is not kept any more.</p>}
    </div>
  );
}

const NOTHING = { width: 4, height: 3, faces: [] } as const;

function paint(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  // Even the same size set anew would throw its memory away.
  if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
  if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
  canvas.getContext('bitmaprenderer')!.transferFromImageBitmap(bitmap);
}

/** Whether nothing but the pixels differs. */
const looksAlike = (a: Picture, b: Picture): boolean =>
  a.faces.length === 0 && b.faces.length === 0 && a.width === b.width && a.height === b.height;
