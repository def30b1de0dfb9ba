/** Builds the device API out of its parts: registry, measurements, recordings, broadcasts, tunnel, and the routes over them. */
import type { Server } from 'node:http';
import { join } from 'node:path';
import type Koa from 'koa';
import type { Closers } from './closers.ts';
import { createDeviceMetrics } from './devices/device-metrics.ts';
import type { FrameStore } from './devices/frames.ts';
import { createLastFrames, type LastFrame } from './devices/last-frames.ts';
import { openRecordings } from './devices/recordings.ts';
import { openRegistry, type Registry } from './devices/registry.ts';
import { openSensorData } from './devices/sensor-data.ts';
import { createSystemLoad } from './devices/system-load.ts';
import type { AccessControl } from './http/api-key.ts';
import type { BodyReader } from './http/body.ts';
import type { RequestState, Route } from './http/route.ts';
import { deviceRoutes } from './http/routes/devices.ts';
import { frameBundleRoutes } from './http/routes/frame-bundle.ts';
import { ingestRoutes } from './http/routes/ingest.ts';
import { lastFrameRoutes } from './http/routes/last-frames.ts';
import { recordingRoutes } from './http/routes/recordings.ts';
import { type SystemDependencies, systemRoutes } from './http/routes/system.ts';
import { attachWebSockets, type WebSockets } from './http/websocket.ts';
import { createBroadcaster } from './live/broadcast.ts';
import {
  deviceStatusMessage,
  isForEveryone,
  isForPage,
  isOfClass,
  lookedAtMessage,
  type Message,
  type NewFrameMessage,
} from './live/messages.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Recognizer } from './recognition/recognizer.ts';
import { createDeviceStore } from './store/devices.ts';
import type { Database } from './store/pool.ts';
import { createSensorDataStore } from './store/sensor-data.ts';
import { openHostKeys } from './tunnel/host-keys.ts';
import { openTunnel, type Tunnel, type TunnelStatus } from './tunnel/tunnel.ts';
import { readTunnelSettings, type TunnelConfig } from './tunnel/tunnel-settings.ts';

export interface DeviceSettings extends TunnelConfig {
  readonly HOST: string;
  readonly DATA_DIR: string;
  readonly ACCESS: 'devices' | 'strict' | 'open';
  readonly DEVICE_OFFLINE_S: number;
  readonly MAX_DEVICES: number;
  readonly SENSOR_RETENTION_DAYS: number;
  readonly SENSOR_MAX_ROWS: number;
  readonly RECORDING_STORAGE_BYTES: number;
  readonly WEBSOCKET_CLIENTS: number;
  readonly WEBSOCKET_BUFFER_BYTES: number;
  readonly CORS_ORIGIN: readonly string[];
  /** Without it, the port that the server listens on. */
  readonly PRIVATE_SERVER_PORT?: number;
}

export interface DeviceParts {
  readonly settings: DeviceSettings;
  /** Null where there is none. */
  readonly ffmpegPath: string | null;
  readonly frames: FrameStore;
  readonly database: Database;
  readonly access: AccessControl;
  readonly bodies: BodyReader;
  readonly backend: SystemDependencies['backend'];
  readonly recognizer: Pick<Recognizer, 'unpack'>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly closers: Closers;
  /** Shorter in tests. */
  readonly webSocketTiming?: { readonly slowAfterMs?: number; readonly pingEveryMs?: number };
}

/** What the route of the frames tells: who sent one, and what became of it. */
export interface FrameEvents {
  readonly stored: (
    board: { readonly deviceId: string | null; readonly ipAddress: string },
    message: Omit<NewFrameMessage, 'type' | 'timestamp'>,
    seen: Omit<LastFrame, 'deviceId' | 'name' | 'atMs'> & { readonly createdAt: Date },
  ) => void;
  /** A frame of a board that says its id was refused, or failed here. */
  readonly refused: (deviceId: string, why: string) => void;
}

export interface Devices {
  readonly routes: readonly Route[];
  readonly registry: Registry;
  readonly frameEvents: FrameEvents;
  readonly publish: (message: Message) => void;
  readonly tunnelStatus: () => TunnelStatus | null;
  /** Calls through the tunnel all come from this machine: they share a bucket of their own. */
  readonly isTunnelled: Tunnel['isTunnelled'];
  /** Lets WebSocket clients in, and brings up the tunnel. Call it once the server listens, and its end has been handed to the closers. */
  attach(http: { readonly server: Server; readonly port: number }, app: Koa<RequestState>): void;
}

/** Boards of which the page can show the last frame, and the memory for those frames as they came. */
const MAX_LAST_FRAMES = 2000;
const MAX_ORIGINAL_BYTES = 64 * 1024 * 1024;

/** @throws {StartError} where the settings of the tunnel are wrong */
export async function composeDevices(parts: DeviceParts): Promise<Devices> {
  const { settings, frames, access, bodies, metrics, log, closers } = parts;
  const tunnelSettings = await readTunnelSettings(settings);
  let tunnel: Tunnel | null = null;
  let sockets: WebSockets | null = null;

  const drop = (queue: string, reason: string) => () => metrics.queueDrops.inc({ queue, reason });
  const broadcaster = createBroadcaster({
    bufferBytes: settings.WEBSOCKET_BUFFER_BYTES,
    slowAfterMs: parts.webSocketTiming?.slowAfterMs,
    onMissed: drop('websocket', 'missed'),
    onDropped: drop('websocket', 'dropped'),
  });
  const { publish } = broadcaster;
  const registry = await openRegistry({
    store: createDeviceStore(parts.database),
    offlineAfterS: settings.DEVICE_OFFLINE_S,
    maxDevices: settings.MAX_DEVICES,
    onStatus: (device) => publish(deviceStatusMessage(device)),
    onDrop: (reason) => metrics.queueDrops.inc({ queue: 'devices', reason }),
    onStoreFailure: (error) =>
      log.warn({ err: error }, 'the state of devices could not be stored; it is tried again'),
  });
  closers.add('devices', () => registry.close());
  const deviceMetrics = createDeviceMetrics(metrics.registry, {
    devices: () => registry.counts(),
    webSocketClients: () => sockets?.size ?? 0,
    tunnelPorts: () => tunnel?.status().ports.length ?? 0,
  });
  const sensorData = openSensorData({
    store: createSensorDataStore(parts.database),
    retentionDays: settings.SENSOR_RETENTION_DAYS,
    maxRows: settings.SENSOR_MAX_ROWS,
    onRefused: drop('sensor_data', 'full'),
    onRemoved: (reason, rows) => deviceMetrics.sensorReadingsRemoved.inc({ reason }, rows),
    onFailure: (error) => log.warn({ err: error }, 'old measurements could not be removed'),
  });
  closers.add('sensor data', () => sensorData.close());
  const recordings = await openRecordings({
    folder: join(settings.DATA_DIR, 'recordings'),
    frames,
    ffmpegPath: parts.ffmpegPath,
    storageBytes: settings.RECORDING_STORAGE_BYTES,
    log,
    onRefused: drop('recordings', 'full'),
  });
  closers.add('recordings', () => recordings.close());

  const lastFrames = createLastFrames({
    maxDevices: MAX_LAST_FRAMES,
    maxOriginalBytes: MAX_ORIGINAL_BYTES,
  });

  return {
    registry,
    publish,
    routes: [
      ...frameBundleRoutes(frames),
      ...lastFrameRoutes({ lastFrames, recognizer: parts.recognizer }),
      ...deviceRoutes({ registry, bodies, publish, log }),
      ...ingestRoutes({ sensorData, registry, bodies, publish }),
      ...recordingRoutes({ recordings, bodies, publish }),
      ...systemRoutes({ registry, backend: parts.backend, systemLoad: createSystemLoad() }),
    ],
    frameEvents: {
      stored({ deviceId, ipAddress }, message, { createdAt, ...seen }) {
        if (deviceId !== null) registry.heard(deviceId, ipAddress);
        publish({ type: 'new_frame', ...message, timestamp: Date.now() });
        const atMs = createdAt.getTime();
        lastFrames.put({ ...seen, deviceId: message.deviceId, name: message.filename, atMs });
        publish(lookedAtMessage({ kind: 'device', id: message.deviceId }, message.url, { ...seen, atMs }));
      },
      refused: (deviceId, why) => registry.noteError(deviceId, why),
    },
    tunnelStatus: () => tunnel?.status() ?? null,
    isTunnelled: (socket) => tunnel?.isTunnelled(socket) ?? false,
    attach(http, app) {
      const attached = attachWebSockets({
        server: http.server,
        app,
        access,
        broadcaster,
        corsOrigins: settings.CORS_ORIGIN,
        maxClients: settings.WEBSOCKET_CLIENTS,
        filterFor(ctx) {
          const isPage = ctx.query.page === '1';
          const maySeeClass = access.maySeeClass(ctx);
          return (message) =>
            (isPage ? isForPage(message) : isForEveryone(message)) && (maySeeClass || !isOfClass(message));
        },
        pingEveryMs: parts.webSocketTiming?.pingEveryMs,
        log,
        metrics,
      });
      sockets = attached;
      closers.add('websockets', () => attached.close());
      if (tunnelSettings === null) return;
      const opened = openTunnel({
        settings: tunnelSettings,
        hostKeys: openHostKeys(join(settings.DATA_DIR, 'ssh-host-keys.json')),
        localHost: ['0.0.0.0', '::'].includes(settings.HOST) ? '127.0.0.1' : settings.HOST,
        localPort: () => settings.PRIVATE_SERVER_PORT ?? http.port,
        log,
        onRefused: drop('tunnel', 'full'),
      });
      tunnel = opened;
      closers.add('tunnel', () => opened.close());
    },
  };
}
