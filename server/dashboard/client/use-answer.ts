/** What a call answered, for a view: loaded when it opens, again when asked, after a break of the connection, and every so often. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call } from './api.ts';
import { usePage } from './page-context.ts';

export interface Answered<Answer> {
  /** Null until the first answer is there; stays while a later call fails. */
  readonly answer: Answer | null;
  readonly error: ApiError | null;
  readonly loading: boolean;
  readonly reload: () => void;
  /** Puts a change in at once, until the next answer. */
  readonly change: (change: (answer: Answer) => Answer) => void;
}

export function useAnswer<Answer>(path: string | null, everyMs?: number): Answered<Answer> {
  const { socket } = usePage();
  const [state, setState] = useState<Omit<Answered<Answer>, 'reload' | 'change'>>({
    answer: null,
    error: null,
    loading: path !== null,
  });
  const [wish, setWish] = useState(0);
  const shownPath = useRef(path);
  const reload = useCallback(() => setWish((count) => count + 1), []);
  const change = useCallback(
    (apply: (answer: Answer) => Answer) =>
      setState((now) => (now.answer === null ? now : { ...now, answer: apply(now.answer) })),
    [],
  );

  useEffect(() => {
    if (path === null) return;
    const stopping = new AbortController();
    const isSamePath = shownPath.current === path;
    shownPath.current = path;
    setState((now) => ({
      answer: isSamePath ? now.answer : null,
      error: isSamePath ? now.error : null,
      loading: true,
    }));
    call<Answer>(path, { signal: stopping.signal }).then(
      (answer) => setState({ answer, error: null, loading: false }),
      (error: unknown) => {
        if (stopping.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, 'BROKEN', String(error));
        setState((now) => ({ ...now, error: told, loading: false }));
      },
    );
    return () => stopping.abort();
  }, [path, wish]);

  useEffect(() => socket.onReopened(reload), [socket, reload]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);

  return { ...state, reload, change };
}
