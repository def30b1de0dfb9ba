/** Camera and detector together, as long as a component shows them: looks, advice, and the picture when it is good. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../api.ts';
import { type AdviceCode, advise, createCalmAdvice, createSteadiness, type Seen } from './advice.ts';
import { openCamera } from './camera.ts';
import { type BrowserDetector, openDetector } from './detector.ts';
import type { Look, Provider } from './detector-protocol.ts';

export type WebcamState =
  | { readonly kind: 'camera' }
  /** The camera shows its picture; the detector is being loaded. */
  | { readonly kind: 'loading'; readonly bytes: number | null }
  | { readonly kind: 'running'; readonly provider: Provider }
  /** Without a detector the picture can still be taken by hand. */
  | { readonly kind: 'unassisted'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

export interface Webcam {
  readonly state: WebcamState;
  /** What to say now; null while nothing is looked at. */
  readonly advice: AdviceCode | null;
  readonly look: Look | null;
  /** How near the picture is that is taken by itself, 0 to 1. */
  readonly steady: number;
  /** JPEG of what the camera shows now. */
  take(): Promise<Blob>;
}

/** More looks a second would only warm the device. */
const LEAST_PAUSE_MS = 70;
const JPEG_QUALITY = 0.95;

/**
 * @param watching whether pictures are looked at now; the camera stays on meanwhile
 * @param onSteady called once each time somebody has been ready for a second
 */
export function useWebcam(
  video: RefObject<HTMLVideoElement | null>,
  watching: boolean,
  onSteady: () => void,
  attempt: number,
): Webcam {
  const [state, setState] = useState<WebcamState>({ kind: 'camera' });
  const [detector, setDetector] = useState<BrowserDetector | null>(null);
  const [seen, setSeen] = useState<{ look: Look; advice: AdviceCode; steady: number } | null>(null);
  const steadied = useRef(onSteady);
  steadied.current = onSteady;

  useEffect(() => {
    const stopping = new AbortController();
    let stream: MediaStream | null = null;
    setState({ kind: 'camera' });
    void (async () => {
      try {
        const opened = await openCamera();
        if (stopping.signal.aborted) {
          for (const track of opened.getTracks()) track.stop();
          return;
        }
        stream = opened;
        video.current!.srcObject = opened;
        await video.current!.play();
      } catch (error) {
        if (!stopping.signal.aborted) setState({ kind: 'failed', why: words(error) });
        return;
      }
      setState({ kind: 'loading', bytes: null });
      try {
        const loaded = await openDetector(stopping.signal, (bytes) => setState({ kind: 'loading', bytes }));
        setDetector(loaded);
        setState({ kind: 'running', provider: loaded.provider });
      } catch (error) {
        if (!stopping.signal.aborted) setState({ kind: 'unassisted', why: words(error) });
      }
    })();
    return () => {
      stopping.abort();
      setDetector(null);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [attempt]);

  useEffect(() => {
    if (detector === null || !watching) {
      setSeen(null);
      return;
    }
    let current = true;
    let before: Seen | null = null;
    const steadiness = createSteadiness();
    const calm = createCalmAdvice();
    void (async () => {
      while (current) {
        const atMs = performance.now();
        const element = video.current!;
        if (document.visibilityState === 'visible' && element.videoWidth > 0) {
          const look = await detector.look(await createImageBitmap(element));
          if (!current) return;
          const { code } = advise({ look, atMs }, before, detector.limits);
          before = { look, atMs };
          const steady = steadiness.next(code, atMs);
          setSeen({ look, advice: calm(code, atMs), steady });
          if (steady === 1) {
            steadiness.reset();
            steadied.current();
          }
        }
        await new Promise((resolve) => setTimeout(resolve, LEAST_PAUSE_MS));
      }
    })().catch((error) => {
      if (current) setState({ kind: 'unassisted', why: words(error) });
    });
    return () => {
      current = false;
    };
  }, [detector, watching]);

  return {
    state,
    advice: seen?.advice ?? null,
    look: seen?.look ?? null,
    steady: seen?.steady ?? 0,
    take: () => takePicture(video.current!),
  };
}

async function takePicture(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')!.drawImage(video, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('The picture could not be taken.')) : resolve(blob)),
      'image/jpeg',
      JPEG_QUALITY,
    );
  });
}
