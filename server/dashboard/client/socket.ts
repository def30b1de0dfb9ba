/** The one WebSocket of the page: typed messages, and a connection that comes back by itself after growing pauses. */

import { setServerTime } from './clock.ts';

/** Pixels from the top left of the picture. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SeenFace {
  readonly box: Box;
  readonly recognizedAs: string | null;
  readonly similarity: number | null;
}

/** The server looked at a picture of a board or a camera. */
export interface LookedAtMessage {
  readonly type: 'looked-at';
  readonly source: { readonly kind: 'device' | 'camera'; readonly id: string };
  /** Milliseconds since the epoch, by the server's clock; as all times here. */
  readonly at: number;
  /** Of the picture; null where it is not kept. */
  readonly url: string | null;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly SeenFace[];
}

export interface CameraStatusMessage {
  readonly type: 'camera-status';
  readonly cameraId: string;
  readonly state: string;
  readonly trouble: string | null;
}

export interface DeviceStatusMessage {
  readonly type: 'device-status';
  readonly deviceId: string;
  readonly deviceName: string;
  readonly status: string;
  readonly lastSeen: number;
}

export interface SensorDataMessage {
  readonly type: 'sensor-data';
  readonly data: Readonly<Record<string, unknown>>;
  readonly timestamp: number;
}

export interface CommandMessage {
  readonly type: 'command';
  readonly deviceId: string;
  readonly command: string;
}

export interface RecordingMessage {
  readonly type: 'recording';
  readonly recordingId: string;
  readonly deviceId: string | null;
  readonly videoUrl: string;
}

export interface RecognitionMessage {
  readonly type: 'recognition';
  readonly slotId: number;
  readonly roomId: number;
  readonly userId: number;
  readonly fullName: string;
  readonly rollNumber: string;
  readonly cameraId: number;
  readonly cameraName: string;
  readonly similarity: number;
  readonly recognizedAt: string;
  readonly timestamp: number;
}

export type ServerMessage =
  | LookedAtMessage
  | CameraStatusMessage
  | DeviceStatusMessage
  | SensorDataMessage
  | CommandMessage
  | RecordingMessage
  | RecognitionMessage;

/** The first message: the time by the server's clock. */
interface ConnectionMessage {
  readonly type: 'connection';
  readonly timestamp: number;
}

type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

export type ConnectionState = 'connecting' | 'open' | 'waiting';

export interface PageSocket {
  readonly state: ConnectionState;
  /** @returns how to stop listening */
  on<Type extends ServerMessage['type']>(
    type: Type,
    listener: (message: MessageOf<Type>) => void,
  ): () => void;
  /** Told of every change. @returns how to stop listening */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Told where the connection is back after a break: what happened meanwhile has to be fetched. */
  onReopened(listener: () => void): () => void;
  close(): void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export function openSocket(onRefused: () => void): PageSocket {
  const listeners = new Map<string, Set<(message: never) => void>>();
  const stateListeners = new Set<(state: ConnectionState) => void>();
  const reopenedListeners = new Set<() => void>();
  let state: ConnectionState = 'connecting';
  let socket: WebSocket | null = null;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wasOpen = false;
  let closed = false;

  function become(next: ConnectionState): void {
    state = next;
    for (const listener of stateListeners) listener(next);
  }

  function connect(): void {
    clearTimeout(timer);
    become('connecting');
    const { protocol, host } = location;
    const opening = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/ws?page=1`);
    socket = opening;
    opening.onopen = () => {
      pauseMs = FIRST_PAUSE_MS;
      become('open');
      if (wasOpen) for (const listener of reopenedListeners) listener();
      wasOpen = true;
    };
    opening.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as ServerMessage | ConnectionMessage;
      if (message.type === 'connection') setServerTime(message.timestamp);
      for (const listener of listeners.get(message.type) ?? []) listener(message as never);
    };
    opening.onclose = () => {
      if (closed || socket !== opening) return;
      become('waiting');
      onRefused();
      // Not all pages of a server that was started anew at the same moment.
      timer = setTimeout(connect, pauseMs * (0.75 + Math.random() / 2));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    };
  }

  function connectSooner(): void {
    if (state === 'waiting' && document.visibilityState === 'visible') connect();
  }
  addEventListener('online', connectSooner);
  document.addEventListener('visibilitychange', connectSooner);
  connect();

  return {
    get state() {
      return state;
    },
    on(type, listener) {
      const all = listeners.get(type) ?? new Set();
      listeners.set(type, all.add(listener as (message: never) => void));
      return () => all.delete(listener as (message: never) => void);
    },
    onState(listener) {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    onReopened(listener) {
      reopenedListeners.add(listener);
      return () => reopenedListeners.delete(listener);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      removeEventListener('online', connectSooner);
      document.removeEventListener('visibilitychange', connectSooner);
      socket?.close();
    },
  };
}
