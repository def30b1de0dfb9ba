/**
 * What can be seen: boards and cameras, each with its last picture. Loaded once, then kept up to date by the socket; whoever shows one
 * source is told of that source alone, as a wall of fifty is told something a hundred times a second.
 */

import type { LookedAtMessage, SeenFace } from '../../live/messages.ts';
import { ApiError, call } from './api.ts';
import type { PageSocket } from './socket.ts';

export interface Picture {
  readonly url: string;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly SeenFace[];
}

/** As `GET /api/v1/devices` tells it. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly registered: boolean;
  readonly ipAddress: string;
  readonly capabilities: readonly string[];
  /** Seconds. */
  readonly uptime: number;
  /** Bytes. */
  readonly freeHeap: number;
  /** dBm. */
  readonly wifiRssi: number | null;
  readonly lastSeen: number;
  readonly lastHeartbeat: number | null;
  readonly errors: readonly string[];
  readonly errorCount: number;
}

/** As `GET /api/v1/cameras` tells it, in what is used here. */
export interface CameraRecord {
  readonly cameraId: string;
  readonly name: string;
  readonly state: string;
  readonly trouble: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly lastFrameAt: string | null;
  /** In the last frame; null where it was not looked at yet. */
  readonly faces: readonly SeenFace[] | null;
}

export interface Source {
  /** `device:door-1` */
  readonly key: string;
  readonly kind: 'device' | 'camera';
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly trouble: string | null;
  /** Null where none has come since the server started. */
  readonly picture: Picture | null;
  readonly device: DeviceRecord | null;
}

interface LastFrame extends Picture {
  readonly deviceId: string;
}

export type Sources = ReturnType<typeof createSources>;

const REFRESH_CAMERAS_MS = 5000;

/** @param at only so that a newer picture has another address */
const pictureOf = (cameraId: string, at: number): string =>
  `/api/v1/cameras/${encodeURIComponent(cameraId)}/picture?at=${at}`;

export const keyOf = (kind: Source['kind'], id: string): string => `${kind}:${id}`;

export function createSources(socket: PageSocket) {
  const sources = new Map<string, Source>();
  const listeners = new Map<string, Set<() => void>>();
  const listListeners = new Set<() => void>();
  let error: ApiError | null = null;
  let loaded = false;

  function tellList(): void {
    for (const listener of listListeners) listener();
  }

  function put(source: Source): void {
    const isNew = !sources.has(source.key);
    sources.set(source.key, source);
    for (const listener of listeners.get(source.key) ?? []) listener();
    if (isNew) tellList();
  }

  function change(kind: Source['kind'], id: string, changes: Partial<Source>): void {
    const key = keyOf(kind, id);
    const known = sources.get(key) ?? {
      key,
      kind,
      id,
      name: id,
      state: 'unregistered',
      trouble: null,
      picture: null,
      device: null,
    };
    put({ ...known, ...changes });
  }

  function lookedAt({ source, at, url, width, height, faces }: LookedAtMessage): void {
    const shown = url ?? pictureOf(source.id, at);
    const { state } = sources.get(keyOf(source.kind, source.id)) ?? {};
    // A board that sends is there, whatever was last heard of its state.
    const awake = state === 'offline' ? { state: 'online' } : {};
    change(source.kind, source.id, { ...awake, picture: { url: shown, at, width, height, faces } });
  }

  function putCamera(camera: CameraRecord): void {
    const { cameraId, name, state, trouble, lastFrameAt, width, height } = camera;
    const shown = sources.get(keyOf('camera', cameraId))?.picture ?? null;
    const at = lastFrameAt === null ? 0 : Date.parse(lastFrameAt);
    // A camera that is looked at tells its pictures itself; of others the newest is asked for every REFRESH_CAMERAS_MS.
    const isNewer = width !== null && height !== null && at > (shown?.at ?? 0) + REFRESH_CAMERAS_MS / 2;
    const faces = camera.faces ?? [];
    const picture = isNewer ? { url: pictureOf(cameraId, at), at, width, height, faces } : shown;
    change('camera', cameraId, { name, state, trouble, picture });
  }

  async function refreshCameras(): Promise<void> {
    if (
      document.visibilityState !== 'visible' ||
      ![...sources.values()].some(({ kind }) => kind === 'camera')
    )
      return;
    // The next round may have an answer again.
    for (const camera of await listCameras().catch(() => [])) putCamera(camera);
  }
  const timer = setInterval(() => void (error === null ? refreshCameras() : load()), REFRESH_CAMERAS_MS);

  /** The newest of each kind that was told of each source since the last loading began; null where none is under way. */
  let meanwhile: Map<string, () => void> | null = null;

  /** The lists on their way may be older than what is told now: it is told again once they are here. */
  function hear(type: string, key: string, tell: () => void): void {
    meanwhile?.set(`${type} ${key}`, tell);
    tell();
  }

  async function load(): Promise<void> {
    const told = new Map<string, () => void>();
    meanwhile = told;
    try {
      const [devices, frames, cameras] = await Promise.all([
        call<{ devices: readonly DeviceRecord[] }>('/api/v1/devices'),
        call<{ data: readonly LastFrame[] }>('/api/v1/last-frames'),
        listCameras(),
      ]);
      // Another loading has begun since, and has the newer lists.
      if (meanwhile !== told) return;
      const pictures = new Map(frames.data.map(({ deviceId, ...picture }) => [deviceId, picture]));
      const known = new Set([
        ...devices.devices.map(({ deviceId }) => keyOf('device', deviceId)),
        ...frames.data.map(({ deviceId }) => keyOf('device', deviceId)),
        ...cameras.map(({ cameraId }) => keyOf('camera', cameraId)),
      ]);
      for (const key of sources.keys()) if (!known.has(key)) sources.delete(key);
      for (const device of devices.devices)
        change('device', device.deviceId, { name: device.name, state: device.status, device });
      // Boards that say no id have pictures, and are in no list.
      for (const [deviceId, picture] of pictures) change('device', deviceId, { picture });
      for (const camera of cameras) putCamera(camera);
      meanwhile = null;
      for (const tell of told.values()) tell();
      error = null;
      loaded = true;
    } catch (thrown) {
      if (meanwhile !== told) return;
      meanwhile = null;
      error = thrown instanceof ApiError ? thrown : new ApiError(0, 'BROKEN', String(thrown));
    }
    tellList();
  }

  const stops = [
    socket.on('looked-at', (message) => {
      const { kind, id } = message.source;
      hear(message.type, keyOf(kind, id), () => lookedAt(message));
    }),
    socket.on('device-status', ({ type, deviceId, deviceName, status }) =>
      hear(type, keyOf('device', deviceId), () =>
        change('device', deviceId, { name: deviceName, state: status }),
      ),
    ),
    socket.on('camera-status', ({ type, cameraId, state, trouble }) =>
      hear(type, keyOf('camera', cameraId), () => change('camera', cameraId, { state, trouble })),
    ),
    // Also the first time: what happened between the first loading and the opening was told to nobody.
    socket.onState((state) => {
      if (state === 'open') void load();
    }),
  ];
  void load();

  return {
    get: (key: string): Source | null => sources.get(key) ?? null,
    list: (): Source[] => [...sources.values()],
    get error() {
      return error;
    },
    get loaded() {
      return loaded;
    },
    reload: () => void load(),
    /** @returns how to stop listening */
    onChange(key: string, listener: () => void): () => void {
      const all = listeners.get(key) ?? new Set();
      listeners.set(key, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0 && listeners.get(key) === all) listeners.delete(key);
      };
    },
    /** Told where a source came or went, or loading has ended. @returns how to stop listening */
    onList(listener: () => void): () => void {
      listListeners.add(listener);
      return () => listListeners.delete(listener);
    },
    close(): void {
      clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}

async function listCameras(): Promise<readonly CameraRecord[]> {
  try {
    const { data } = await call<{ data: readonly CameraRecord[] }>('/api/v1/cameras');
    return data;
  } catch (error) {
    // A server without ffmpeg has no cameras.
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}
