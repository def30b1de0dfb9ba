/**
 * The newest picture of a source with the faces in it. A picture is shown with its own boxes: the next one is loaded beside it, and what
 * comes meanwhile waits, only the newest of it. Nothing is loaded that cannot be seen.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Picture } from '../sources.ts';
import { FaceBoxes, type FaceBoxesProps, facesWords } from './face-boxes.tsx';

export interface LivePictureProps {
  readonly picture: Picture;
  readonly name: string;
  readonly onChoose?: FaceBoxesProps['onChoose'];
}

export function LivePicture({ picture, name, onChoose }: LivePictureProps) {
  const [shown, setShown] = useState<Picture | null>(null);
  const [missing, setMissing] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const newest = useRef(picture);
  const loading = useRef(false);
  const visible = useRef(false);
  const mounted = useRef(true);
  newest.current = picture;

  const loadNewest = useRef(() => {
    const next = newest.current;
    if (loading.current || !visible.current || document.visibilityState !== 'visible') return;
    loading.current = true;
    const settle = (isThere: boolean) => {
      loading.current = false;
      if (!mounted.current) return;
      setMissing(!isThere);
      if (isThere) setShown(next);
      if (newest.current.url !== next.url) loadNewest.current();
    };
    const image = new Image();
    image.src = next.url;
    // Decoded before it is shown, so that drawing it never holds up the page.
    image.decode().then(
      () => settle(true),
      () => settle(false),
    );
  });

  useEffect(() => loadNewest.current(), [picture.url]);

  useEffect(() => {
    mounted.current = true;
    const load = () => loadNewest.current();
    const observer = new IntersectionObserver(
      (entries) => {
        visible.current = entries.at(-1)!.isIntersecting;
        load();
      },
      { rootMargin: '100px' },
    );
    observer.observe(frame.current!);
    document.addEventListener('visibilitychange', load);
    return () => {
      mounted.current = false;
      observer.disconnect();
      document.removeEventListener('visibilitychange', load);
    };
  }, []);

  const { width, height } = shown ?? picture;
  return (
    <div ref={frame} class="live-picture" style={{ '--ratio': `${width / height}` }}>
      {shown !== null && (
        <>
          <img src={shown.url} alt={`${name}: ${facesWords(shown.faces)}`} width={width} height={height} />
          <FaceBoxes faces={shown.faces} width={width} height={height} onChoose={onChoose} />
        </>
      )}
      {missing && shown === null && <p class="no-picture">The last picture is not kept any more.</p>}
    </div>
  );
}
