/** The one WebSocket of the page: typed messages, and a connection that comes back by itself after growing pauses. */

import type { Message, NewFrameMessage, SeenFace } from '../../live/messages.ts';
import { setServerTime } from './clock.ts';

/** Pixels from the top left of the picture. */
export type Box = SeenFace['box'];

/** What the page is told: of a frame it hears by `looked-at`. */
export type ServerMessage = Exclude<Message, NewFrameMessage>;

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
