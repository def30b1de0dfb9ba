/** The newest picture of a source at the size of its tile, with its own boxes. Nothing is fetched that cannot be seen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { FaceBoxes, facesWords } from '../../parts/face-boxes.tsx';
import type { Picture } from '../../sources.ts';
import type { TilePictures } from './tile-pictures.ts';

export interface TilePictureProps {
  readonly id: string;
  readonly picture: Picture;
  readonly name: string;
  readonly pictures: TilePictures;
}

export function TilePicture({ id, picture, name, pictures }: TilePictureProps) {
  const [shown, setShown] = useState<Picture | null>(null);
  const [missing, setMissing] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const newest = useRef(picture);
  const visible = useRef(false);
  newest.current = picture;

  const wantNewest = useRef(() => {
    if (!visible.current || document.visibilityState !== 'visible') return;
    const next = newest.current;
    const { clientWidth, clientHeight } = frame.current!;
    pictures.want({
      key: id,
      url: next.url,
      width: Math.round(clientWidth * devicePixelRatio),
      height: Math.round(clientHeight * devicePixelRatio),
      show(bitmap) {
        setMissing(bitmap === null);
        if (bitmap === null || canvas.current === null) return;
        // Even the same size set anew would throw its memory away.
        if (canvas.current.width !== bitmap.width) canvas.current.width = bitmap.width;
        if (canvas.current.height !== bitmap.height) canvas.current.height = bitmap.height;
        canvas.current.getContext('bitmaprenderer')!.transferFromImageBitmap(bitmap);
        setShown(next);
      },
    });
  });

  useEffect(() => wantNewest.current(), [picture.url]);

  useEffect(() => {
    const want = () => wantNewest.current();
    const observer = new IntersectionObserver(
      (entries) => {
        visible.current = entries.at(-1)!.isIntersecting;
        want();
      },
      { rootMargin: '100px' },
    );
    observer.observe(frame.current!);
    document.addEventListener('visibilitychange', want);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', want);
      pictures.forget(id);
    };
  }, [id, pictures]);

  const { width, height } = shown ?? picture;
  return (
    <div ref={frame} class="live-picture" style={{ '--ratio': `${width / height}` }}>
      <canvas ref={canvas} role="img" aria-label={shown ? `${name}: ${facesWords(shown.faces)}` : name} />
      {shown !== null && <FaceBoxes faces={shown.faces} width={width} height={height} />}
      {missing && shown === null && <p class="no-picture">The last picture is not kept any more.</p>}
    </div>
  );
}
