/** All faces of a video: frames are looked at on every thread while ffmpeg still decodes. */
import type { AnalyseResult, EmbeddedView } from '../../workers/protocol.ts';
import type { VideoContainer } from './video-file.ts';
import type { LookAtFrame, VideoFrame } from './video-frame.ts';

export interface ReadVideo {
  readonly path: string;
  readonly container: VideoContainer;
  readonly everyMs: number;
  readonly maxFrames: number;
  /** For all of it. */
  readonly limitMs: number;
  readonly signal?: AbortSignal;
}

/** Frames as they are decoded, no faster than they are taken; leaving the loop ends the decoder. */
export type ReadVideoFrames = (options: ReadVideo) => AsyncIterable<VideoFrame>;

export interface VideoFacesOptions {
  readonly readFrames: ReadVideoFrames;
  readonly look: LookAtFrame;
  /** How many frames are looked at side by side: one more than there are threads keeps all of them busy. */
  readonly framesAtOnce: number;
  readonly video: ReadVideo;
  readonly returnEmbeddings: boolean;
}

/** A video may end after these. */
const FRAMES_WITH_BOTH_VIEWS = 3;

/**
 * Where the views take turns, the mean over the frames is the mean of both: as good as both of each frame (npm run bench -- face-videos),
 * at half the cost.
 */
function viewOf(place: number): EmbeddedView {
  if (place < FRAMES_WITH_BOTH_VIEWS) return 'both';
  return place % 2 === 0 ? 'straight' : 'mirrored';
}

/** In the order of the frames. @throws what `readFrames` and `look` throw, after everything under way has ended */
export async function facesOfVideo(options: VideoFacesOptions): Promise<AnalyseResult[]> {
  const { readFrames, look, framesAtOnce, video, returnEmbeddings } = options;
  const results: AnalyseResult[] = [];
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | null = null;
  let count = 0;
  try {
    for await (const frame of readFrames(video)) {
      const place = count++;
      const view = viewOf(place);
      const task = look(frame, { index: null, returnEmbeddings, smallFaces: false, view, source: null })
        .then(
          (result) => {
            results[place] = result;
          },
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => running.delete(task));
      running.add(task);
      while (running.size >= framesAtOnce && failure === null) await Promise.race(running);
      if (failure !== null) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failure !== null) throw (failure as { error: unknown }).error;
  return results;
}
