/** Pictures on their way to enrolment: one after another, each with what became of it. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, words } from '../api.ts';
import { type EnrolmentAnswer, enrolPicture } from './calls.ts';

export type UploadState =
  | { readonly kind: 'waiting' | 'sending' }
  | { readonly kind: 'enrolled'; readonly message: string; readonly warnings: readonly string[] }
  | {
      readonly kind: 'refused';
      readonly why: string;
      /** There are several people in it: one of the faces can be chosen. */
      readonly severalFaces: boolean;
    };

export interface Upload {
  readonly id: number;
  readonly file: File;
  /** Of the file, for showing it. */
  readonly url: string;
  readonly state: UploadState;
}

export interface Uploads {
  readonly list: readonly Upload[];
  readonly add: (files: readonly File[]) => void;
  /** A face of a picture that was refused has been enrolled. */
  readonly enrolled: (id: number, answer: EnrolmentAnswer) => void;
  readonly dismiss: (id: number) => void;
}

let lastId = 0;

export function useUploads(name: string, onEnrolled: () => void): Uploads {
  const [list, setList] = useState<readonly Upload[]>([]);
  const queue = useRef<Promise<void>>(Promise.resolve());
  const urls = useRef(new Set<string>());
  const gone = useRef(false);

  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      for (const url of urls.current) URL.revokeObjectURL(url);
    };
  }, []);

  const set = useCallback(
    (id: number, state: UploadState) =>
      setList((now) => now.map((upload) => (upload.id === id ? { ...upload, state } : upload))),
    [],
  );

  const enrolled = useCallback(
    (id: number, { message, warnings }: EnrolmentAnswer) => {
      set(id, { kind: 'enrolled', message, warnings });
      onEnrolled();
    },
    [set, onEnrolled],
  );

  const add = useCallback(
    (files: readonly File[]) => {
      const added = files.map((file): Upload => {
        const url = URL.createObjectURL(file);
        urls.current.add(url);
        return { id: ++lastId, file, url, state: { kind: 'waiting' } };
      });
      setList((now) => [...now, ...added]);
      for (const { id, file } of added)
        queue.current = queue.current.then(async () => {
          // Whoever left the page has changed their mind about what was still waiting.
          if (gone.current) return;
          set(id, { kind: 'sending' });
          try {
            enrolled(id, await enrolPicture(name, file));
          } catch (error) {
            const severalFaces = error instanceof ApiError && error.code === 'SEVERAL_FACES';
            set(id, { kind: 'refused', why: words(error), severalFaces });
          }
        });
    },
    [name, set, enrolled],
  );

  const dismiss = useCallback((id: number) => setList((now) => now.filter((upload) => upload.id !== id)), []);

  return { list, add, enrolled, dismiss };
}
