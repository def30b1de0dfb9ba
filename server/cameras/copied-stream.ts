/** A camera's stream as it comes (MPEG-TS), for whoever starts to listen in the middle of it. What nobody listens to is thrown away. */
export interface CopiedStream {
  /** @returns how to leave */
  listen(onChunk: (chunk: Buffer) => void): () => void;
  readonly listeners: number;
}

export interface CopiedStreamSource extends CopiedStream {
  push(chunk: Buffer): void;
  close(): void;
}

export function createCopiedStream(): CopiedStreamSource {
  const listeners = new Set<(chunk: Buffer) => void>();
  return {
    listen(onChunk) {
      listeners.add(onChunk);
      return () => listeners.delete(onChunk);
    },
    get listeners() {
      return listeners.size;
    },
    push(chunk) {
      for (const listener of listeners) listener(chunk);
    },
    close: () => listeners.clear(),
  };
}
