/** The pictures of boards for those who watch them: read from the disk when they were stored, and only where somebody watches. */

export interface StoredPictures {
  /** Null where there is none of this name any more. */
  read(name: string): Promise<Uint8Array | null>;
}

export interface BoardPictures {
  /** @returns how to leave */
  watch(deviceId: string, onPicture: (jpeg: Uint8Array) => void): () => void;
  stored(deviceId: string, name: string): void;
}

export function createBoardPictures(frames: StoredPictures): BoardPictures {
  const watchers = new Map<string, Set<(jpeg: Uint8Array) => void>>();
  /** Boards whose newest picture is being read: those that come meanwhile are left out. */
  const reading = new Set<string>();

  async function tell(deviceId: string, name: string): Promise<void> {
    reading.add(deviceId);
    try {
      const jpeg = await frames.read(name);
      if (jpeg !== null) for (const watcher of watchers.get(deviceId) ?? []) watcher(jpeg);
    } finally {
      reading.delete(deviceId);
    }
  }

  return {
    watch(deviceId, onPicture) {
      const ofDevice = watchers.get(deviceId) ?? new Set();
      watchers.set(deviceId, ofDevice.add(onPicture));
      return () => {
        ofDevice.delete(onPicture);
        if (ofDevice.size === 0) watchers.delete(deviceId);
      };
    },
    stored(deviceId, name) {
      // A frame that was removed in the meantime, or cannot be read, is one picture less.
      if (watchers.has(deviceId) && !reading.has(deviceId)) tell(deviceId, name).catch(() => {});
    },
  };
}
