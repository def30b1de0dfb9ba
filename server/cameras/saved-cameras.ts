/** Cameras that are watched without a session: known under a number, open as long as they are saved, looked at every scan interval. */
import { notFound, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type CameraAddress, parseCameraUrl } from './camera-address.ts';
import type { CameraHub, CameraUse } from './camera-hub.ts';
import type { VideoFrame } from './y4m.ts';

export interface SavedCamera {
  readonly cameraId: number;
  readonly name: string;
  /** With its password: never for an answer or a log. */
  readonly rtspUrl: string;
  /** Whether its pictures are compared with the permitted faces. */
  readonly recognise: boolean;
}

export interface SavedCameraStore {
  list(): Promise<SavedCamera[]>;
  /** Null where the number or the address is taken. */
  add(
    camera: Omit<SavedCamera, 'cameraId'> & { readonly cameraId: number | null },
  ): Promise<SavedCamera | null>;
  /** Null where there is none of this number, or the address is another one's. */
  change(camera: SavedCamera): Promise<SavedCamera | null>;
  remove(cameraId: number): Promise<void>;
}

export interface OpenSavedCamera {
  readonly saved: SavedCamera;
  readonly address: CameraAddress;
  readonly use: CameraUse;
}

export interface SavedCameras {
  list(): OpenSavedCamera[];
  find(cameraId: number): OpenSavedCamera | null;
  /** @throws {ServerError} 400 for a URL that is none, 409 CAMERA_EXISTS, 409 TOO_MANY_CAMERAS */
  add(camera: {
    cameraId: number | null;
    name: string;
    rtspUrl: string;
    recognise: boolean;
  }): Promise<OpenSavedCamera>;
  /** What is not given stays. @throws {ServerError} as `add`, and 404 */
  change(cameraId: number, change: Partial<Omit<SavedCamera, 'cameraId'>>): Promise<OpenSavedCamera>;
  /** Ends when the camera is closed. @throws {ServerError} 404 */
  remove(cameraId: number): Promise<void>;
  close(): Promise<void>;
}

export interface SavedCamerasOptions {
  readonly store: SavedCameraStore;
  readonly hub: CameraHub;
  readonly scanIntervalMs: number;
  readonly maxCameras: number;
  /** The frame may be given away. */
  readonly onFrame: (saved: SavedCamera, frame: VideoFrame) => Promise<void>;
  readonly log: Log;
}

const cameraExists = () =>
  new ServerError(409, 'CAMERA_EXISTS', 'a camera with this number or this address is saved already');

export async function openSavedCameras(options: SavedCamerasOptions): Promise<SavedCameras> {
  const { store, hub, scanIntervalMs, maxCameras, onFrame, log } = options;
  const opened = new Map<number, OpenSavedCamera>();
  /** Changes one after the other: two of the same camera would open it twice. */
  let changing: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const next = changing.then(change);
    changing = next.catch(() => {});
    return next;
  };

  function open(saved: SavedCamera): OpenSavedCamera {
    const address = parseCameraUrl(saved.rtspUrl);
    const use = hub.use({ address, scanIntervalMs, onFrame: (frame) => onFrame(saved, frame) });
    const made = { saved, address, use };
    opened.set(saved.cameraId, made);
    return made;
  }
  const found = (cameraId: number): OpenSavedCamera => {
    const camera = opened.get(cameraId);
    if (!camera) throw notFound(`the camera ${cameraId}`);
    return camera;
  };

  for (const saved of await store.list()) {
    try {
      open(saved);
    } catch (error) {
      log.error({ cameraId: saved.cameraId, err: error }, 'a saved camera cannot be opened');
    }
  }

  return {
    list: () => [...opened.values()].sort((a, b) => a.saved.cameraId - b.saved.cameraId),
    find: (cameraId) => opened.get(cameraId) ?? null,
    add: (camera) =>
      inTurn(async () => {
        parseCameraUrl(camera.rtspUrl);
        if (opened.size >= maxCameras)
          throw new ServerError(409, 'TOO_MANY_CAMERAS', `${maxCameras} cameras are saved already`);
        const saved = await store.add(camera);
        if (saved === null) throw cameraExists();
        return open(saved);
      }),
    change: (cameraId, change) =>
      inTurn(async () => {
        const before = found(cameraId);
        const wanted = { ...before.saved, ...change };
        parseCameraUrl(wanted.rtspUrl);
        const saved = await store.change(wanted);
        if (saved === null) throw cameraExists();
        // The new use first: a camera whose address stays is not opened again.
        const after = open(saved);
        await before.use.close();
        return after;
      }),
    remove: (cameraId) =>
      inTurn(async () => {
        const { use } = found(cameraId);
        await store.remove(cameraId);
        opened.delete(cameraId);
        await use.close();
      }),
    async close() {
      await changing;
      await Promise.all([...opened.values()].map(({ use }) => use.close()));
      opened.clear();
    },
  };
}
