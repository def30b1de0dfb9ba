/** The last picture of each camera, and who was seen in it: looked at when it comes, or made into a JPEG when somebody asks. */
import type { KnownCamera } from './cameras/camera-directory.ts';
import type { SharedCamera } from './cameras/camera-hub.ts';
import type { SavedCamera } from './cameras/saved-cameras.ts';
import type { VideoFrame } from './cameras/y4m.ts';
import { notFound, ServerError } from './errors.ts';
import { presentFaces } from './http/face-view.ts';
import {
  isOfClass,
  type LookedAtMessage,
  lookedAtMessage,
  type Message,
  type SeenFace,
} from './live/messages.ts';
import type { Log } from './log.ts';
import type { Gallery } from './recognition/gallery.ts';
import type { Recognizer } from './recognition/recognizer.ts';

export interface CameraPicture {
  readonly jpeg: Uint8Array;
  readonly at: Date;
  readonly width: number;
  readonly height: number;
}

/** Who is in one frame. */
export interface CameraLook {
  readonly capturedAt: Date;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly SeenFace[];
}

export interface LookParts {
  readonly recognizer: Recognizer;
  readonly gallery: Gallery;
  readonly publish: (message: Message) => void;
  readonly log: Log;
}

export interface CameraLooks {
  /** Of a saved camera: compared with the permitted faces, if it is to be. Never rejects. */
  look(camera: SavedCamera, frame: VideoFrame): Promise<void>;
  /** Tells the page. @param slotId where students of a class were looked for: those alone who may know of it are told */
  tell(id: string, look: CameraLook, slotId?: number): void;
  /** Who is in the last frame of a camera; null where that was not looked at yet, or not for eyes that may not see a class. */
  facesIn(camera: KnownCamera, maySeeClass: boolean): readonly SeenFace[] | null;
  /** @throws {ServerError} 404 where there was no frame yet */
  picture(camera: SharedCamera): Promise<CameraPicture>;
}

const JPEG_QUALITY = 80;
/** More than there are at any time; those of cameras that are gone are forgotten in the end. */
const MAX_REMEMBERED = 256;

export function createCameraLooks({ recognizer, gallery, publish, log }: LookParts): CameraLooks {
  /** Of the newest frames alone: a picture goes when its frame does. */
  const pictures = new WeakMap<VideoFrame, Promise<CameraPicture>>();
  /** What was told of each camera last, those told last at the end. */
  const told = new Map<string, LookedAtMessage>();

  async function encode(frame: VideoFrame): Promise<CameraPicture> {
    const { width, height, capturedAt } = frame;
    // The frame is everybody's, and what a thread is given is gone.
    const input = { kind: 'video', bytes: new Uint8Array(frame.bytes), width, height } as const;
    const task = {
      input,
      index: null,
      returnEmbeddings: false,
      smallFaces: false,
      jpegQuality: JPEG_QUALITY,
    };
    const { jpeg } = await recognizer.analyse(task);
    return { jpeg: jpeg!, at: capturedAt, width, height };
  }

  function tell(id: string, { capturedAt, ...look }: CameraLook, slotId?: number): void {
    const atMs = capturedAt.getTime();
    const url = `/api/v1/cameras/${id}/picture?at=${atMs}`;
    const message = lookedAtMessage({ kind: 'camera', id, slotId }, url, { ...look, atMs });
    told.delete(id);
    told.set(id, message);
    if (told.size > MAX_REMEMBERED) told.delete(told.keys().next().value!);
    publish(message);
  }

  return {
    tell,
    facesIn({ id, camera }, maySeeClass) {
      const last = told.get(id);
      // Faces of an earlier frame would be boxes beside the faces.
      if (last === undefined || last.at !== camera.latestFrame?.capturedAt.getTime()) return null;
      return isOfClass(last) && !maySeeClass ? null : last.faces;
    },
    async look({ cameraId, recognise }, { bytes, width, height, capturedAt }) {
      const id = String(cameraId);
      const seen = { capturedAt, width, height };
      if (!recognise) return tell(id, { ...seen, faces: [] });
      try {
        await gallery.withIndex(async (index) => {
          const input = { kind: 'video', bytes, width, height } as const;
          const task = { input, index, returnEmbeddings: false, jpegQuality: null };
          const { faces } = presentFaces(
            await recognizer.analyse(task, `saved camera ${id}`),
            gallery.decide,
          );
          tell(id, { ...seen, faces });
        });
      } catch (error) {
        const isOvertaken = error instanceof ServerError && error.status === 429;
        if (isOvertaken) log.debug({ cameraId }, 'a picture was not looked at: too much work is waiting');
        else log.error({ cameraId, err: error }, 'a picture of a camera could not be looked at');
      }
    },
    async picture({ latestFrame }) {
      if (latestFrame === null) throw notFound('a picture of the camera');
      const made = pictures.get(latestFrame) ?? encode(latestFrame);
      pictures.set(latestFrame, made);
      made.catch(() => pictures.delete(latestFrame));
      return made;
    },
  };
}
