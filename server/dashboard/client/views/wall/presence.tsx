/** Who was seen during the last minute, and where. */
import { useCallback } from 'preact/hooks';
import { serverNow, useTicking } from '../../clock.ts';
import { usePage } from '../../page-context.ts';
import { moodOf } from '../../parts/state-badge.tsx';
import { linkToSource } from '../../router.ts';
import type { Source } from '../../sources.ts';

const SEEN_WITHIN_MS = 60_000;
const MOST_NAMES = 12;

interface Seen {
  readonly name: string;
  readonly source: Pick<Source, 'kind' | 'id' | 'name'>;
}

export function Presence() {
  const { sources } = usePage();
  // Looked at once a second, whatever comes in between.
  const text = useTicking(useCallback(() => JSON.stringify(lookAround(sources.list())), [sources]));
  const { seen, unknown, online, total } = JSON.parse(text) as ReturnType<typeof lookAround>;
  return (
    <div class="presence">
      <p class="muted small">
        {online} of {total} online
      </p>
      <ul aria-label="Seen in the last minute">
        {seen.slice(0, MOST_NAMES).map(({ name, source }) => (
          <li key={name}>
            <a class="chip" href={linkToSource(source.kind, source.id)}>
              <strong>{name}</strong> {source.name}
            </a>
          </li>
        ))}
        {seen.length > MOST_NAMES && <li class="chip">{seen.length - MOST_NAMES} more</li>}
        {unknown > 0 && (
          <li class="chip unknown">
            {unknown} unknown {unknown === 1 ? 'face' : 'faces'}
          </li>
        )}
      </ul>
    </div>
  );
}

function lookAround(list: readonly Source[]) {
  const since = serverNow() - SEEN_WITHIN_MS;
  const seen = new Map<string, Seen>();
  let unknown = 0;
  const newestFirst = list
    .filter(({ picture }) => picture !== null && picture.at >= since)
    .sort((a, b) => b.picture!.at - a.picture!.at);
  for (const { kind, id, name, picture } of newestFirst) {
    for (const face of picture!.faces) {
      if (face.recognizedAs === null) unknown++;
      else if (!seen.has(face.recognizedAs))
        seen.set(face.recognizedAs, { name: face.recognizedAs, source: { kind, id, name } });
    }
  }
  const people = [...seen.values()].sort((a, b) => a.name.localeCompare(b.name));
  const online = list.filter(({ state }) => !['bad', 'warn'].includes(moodOf(state))).length;
  return { seen: people, unknown, online, total: list.length };
}
