/** Sources for components: a whole list, or one that is told of alone. */
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { usePage } from './page-context.ts';
import { keyOf, type Source } from './sources.ts';

const count = (n: number) => n + 1;

/** Drawn again where a source came or went, not with every picture. */
export function useSourceList() {
  const { sources } = usePage();
  const [, redraw] = useReducer<number, void>(count, 0);
  useEffect(() => {
    const stop = sources.onList(() => redraw());
    redraw();
    return stop;
  }, [sources]);
  return { list: sources.list(), error: sources.error, loaded: sources.loaded, reload: sources.reload };
}

/** Drawn again with every picture and every change of state of this source. */
export function useSource(kind: Source['kind'], id: string): Source | null {
  const { sources } = usePage();
  const key = keyOf(kind, id);
  const [, redraw] = useReducer<number, void>(count, 0);
  const drawn = sources.get(key);
  useEffect(() => {
    const stop = sources.onChange(key, () => redraw());
    // Effects come after the drawing: what happened in between was told to nobody.
    if (sources.get(key) !== drawn) redraw();
    return stop;
  }, [sources, key]);
  return drawn;
}

/** Drawn again with every change of this source but a newer picture: whoever shows those as they come does so by itself. */
export function useSourceButPictures(kind: Source['kind'], id: string) {
  const { sources } = usePage();
  const key = keyOf(kind, id);
  const [, redraw] = useReducer<number, void>(count, 0);
  const source = sources.get(key);
  const drawn = useRef(source);
  drawn.current = source;
  useEffect(() => {
    const look = () => {
      if (!isSameButPicture(drawn.current, sources.get(key))) redraw();
    };
    look();
    return sources.onChange(key, look);
  }, [sources, key]);
  if (source === null) return null;
  const { picture, ...rest } = source;
  return { ...rest, hasPicture: picture !== null };
}

function isSameButPicture(a: Source | null, b: Source | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.name === b.name &&
    a.state === b.state &&
    a.trouble === b.trouble &&
    (a.picture === null) === (b.picture === null)
  );
}
