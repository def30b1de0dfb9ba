/** Who was seen in attendance sessions since the page was opened, whichever view was shown meanwhile. */
import type { RecognitionMessage } from '../../live/messages.ts';
import type { PageSocket } from './socket.ts';

export interface SeenStudent {
  /** The newest of them. */
  readonly message: RecognitionMessage;
  readonly times: number;
}

export interface Recognitions {
  /** Of a slot, those seen last first. */
  of(slotId: number): readonly SeenStudent[];
  /** @returns how to stop listening */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** Students of many full classes; beyond, those seen longest ago are forgotten: the backend has them all. */
const MOST_STUDENTS = 5000;

export function createRecognitions(socket: PageSocket): Recognitions {
  // A Map keeps the order of insertion: whoever is seen again is inserted anew.
  const seen = new Map<string, SeenStudent>();
  const listeners = new Set<() => void>();
  const close = socket.on('recognition', (message) => {
    const key = `${message.slotId} ${message.userId}`;
    const times = (seen.get(key)?.times ?? 0) + 1;
    seen.delete(key);
    if (seen.size >= MOST_STUDENTS) seen.delete(seen.keys().next().value as string);
    seen.set(key, { message, times });
    for (const listener of listeners) listener();
  });
  return {
    of: (slotId) => [...seen.values()].filter(({ message }) => message.slotId === slotId).reverse(),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close,
  };
}
