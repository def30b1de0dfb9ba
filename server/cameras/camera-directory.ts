/** Every camera that is known now, under the id that clients see: the number of a saved one, slot and number of one that a session brought. */
import { notFound } from '../errors.ts';
import { parseCameraUrl } from './camera-address.ts';
import type { CameraHub, SharedCamera } from './camera-hub.ts';
import type { SavedCamera, SavedCameras } from './saved-cameras.ts';

/** A camera of a running session, as the session was given it. */
export interface SlotCamera {
  readonly slotId: number;
  readonly cameraId: number;
  readonly name: string;
  readonly rtspUrl: string;
}

export interface KnownCamera {
  readonly id: string;
  readonly name: string;
  readonly camera: SharedCamera;
  /** Null for one that only sessions use. */
  readonly saved: SavedCamera | null;
  readonly slots: readonly { readonly slotId: number; readonly cameraId: number }[];
}

export interface CameraDirectory {
  /** Saved ones first. */
  list(): KnownCamera[];
  /** @throws {ServerError} 404 */
  find(id: string): KnownCamera;
}

export function createCameraDirectory(
  hub: CameraHub,
  saved: () => SavedCameras | null,
  slotCameras: () => readonly SlotCamera[],
): CameraDirectory {
  function list(): KnownCamera[] {
    const known = new Map<SharedCamera, KnownCamera>();
    for (const { saved: camera, use } of saved()?.list() ?? [])
      known.set(use.camera, {
        id: String(camera.cameraId),
        name: camera.name,
        camera: use.camera,
        saved: camera,
        slots: [],
      });
    for (const { slotId, cameraId, name, rtspUrl } of slotCameras()) {
      const camera = sharedOf(rtspUrl);
      if (camera === null) continue;
      const before = known.get(camera) ?? {
        id: `${slotId}-${cameraId}`,
        name,
        camera,
        saved: null,
        slots: [],
      };
      known.set(camera, { ...before, slots: [...before.slots, { slotId, cameraId }] });
    }
    return [...known.values()];
  }

  function sharedOf(rtspUrl: string): SharedCamera | null {
    try {
      return hub.find(parseCameraUrl(rtspUrl));
    } catch {
      return null;
    }
  }

  return {
    list,
    find(id) {
      const camera = list().find((known) => known.id === id);
      if (!camera) throw notFound(`the camera ${id}`);
      return camera;
    },
  };
}
