/** How old something is, kept up to date. */
import { useCallback } from 'preact/hooks';
import { agoWords, timeWords, useTicking } from '../clock.ts';

export function Age({ at }: { at: number }) {
  return <ChangingAge of={useCallback(() => at, [at])} />;
}

/** @param of when it was, looked at once a second: for what is new so often that drawing each would cost more than it tells */
export function ChangingAge({ of }: { of: () => number }) {
  // Both: where the words stay the same, the time that they tell of may be another.
  const at = useTicking(of);
  const ago = useTicking(useCallback(() => agoWords(of()), [of]));
  return (
    <time class="age" dateTime={new Date(at).toISOString()} title={timeWords(at)}>
      {ago}
    </time>
  );
}
