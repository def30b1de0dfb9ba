/** How old something is, kept up to date. */
import { useCallback } from 'preact/hooks';
import { agoWords, timeWords, useTicking } from '../clock.ts';

export function Age({ at }: { at: number }) {
  const text = useTicking(useCallback(() => agoWords(at), [at]));
  return (
    <time class="age" dateTime={new Date(at).toISOString()} title={timeWords(at)}>
      {text}
    </time>
  );
}
