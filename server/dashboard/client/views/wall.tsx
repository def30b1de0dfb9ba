/** The wall: every board and camera with its last picture; a board in full where the address names it. Cameras have a view of their own. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Empty } from '../parts/empty.tsx';
import { Progress } from '../parts/progress.tsx';
import { moodOf } from '../parts/state-badge.tsx';
import { Trouble } from '../parts/trouble.tsx';
import type { Source } from '../sources.ts';
import { useSourceList } from '../use-sources.ts';
import type { ViewProps } from '../views.ts';
import { BoardDetail } from './wall/board-detail.tsx';
import { Presence } from './wall/presence.tsx';
import { Tile } from './wall/tile.tsx';
import { createTilePictures } from './wall/tile-pictures.ts';

export default function Wall({ rest }: ViewProps) {
  const [kind, id, tab] = rest;
  if (kind === 'device' && id !== undefined) return <BoardDetail key={id} id={id} tab={tab ?? 'live'} />;
  return <Tiles />;
}

const FILTERS = {
  all: ['All', () => true],
  device: ['Boards', ({ kind }: Source) => kind === 'device'],
  camera: ['Cameras', ({ kind }: Source) => kind === 'camera'],
  trouble: ['Trouble', ({ state }: Source) => moodOf(state) === 'bad' || moodOf(state) === 'warn'],
} as const;
type Filter = keyof typeof FILTERS;

/** From so many on a name is found faster by typing than by looking. */
const SEARCH_FROM = 9;
/** From so many on more of them in sight are worth more than larger ones. */
const DENSE_FROM = 24;

function Tiles() {
  const { list, error, loaded, reload } = useSourceList();
  const [filter, setFilter] = useState<Filter>('all');
  const [search, setSearch] = useState('');
  const pictures = useMemo(() => createTilePictures(), []);
  useEffect(() => () => pictures.close(), [pictures]);
  const sorted = useMemo(
    () => list.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
    [list],
  );
  const wanted = search.trim().toLowerCase();
  const shown = sorted.filter(
    (source) => FILTERS[filter][1](source) && `${source.name} ${source.id}`.toLowerCase().includes(wanted),
  );

  return (
    <>
      <header class="view-head">
        <h1>Wall</h1>
        {list.length > 0 && <Presence />}
      </header>
      {error && (
        <Trouble what="Boards and cameras could not be loaded" why={error.message} onRetry={reload} />
      )}
      {!loaded && error === null && <Progress label="Loading boards and cameras" />}
      {loaded && list.length === 0 && <NothingYet />}
      {list.length > 0 && (
        <div class="toolbar">
          <fieldset class="segments">
            <legend class="hidden">Which to show</legend>
            {(Object.keys(FILTERS) as Filter[]).map((name) => (
              <label key={name}>
                <input
                  type="radio"
                  name="filter"
                  checked={filter === name}
                  onChange={() => setFilter(name)}
                />
                <span>
                  {FILTERS[name][0]} <span class="count">{list.filter(FILTERS[name][1]).length}</span>
                </span>
              </label>
            ))}
          </fieldset>
          {list.length >= SEARCH_FROM && (
            <input
              type="search"
              aria-label="Find by name"
              placeholder="Find by name"
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          )}
        </div>
      )}
      <ul class={`tiles ${shown.length > DENSE_FROM ? 'dense' : ''}`}>
        {shown.map(({ key, kind, id }) => (
          <Tile key={key} kind={kind} id={id} pictures={pictures} />
        ))}
      </ul>
      {list.length > 0 && shown.length === 0 && (
        <p class="muted">
          {wanted === '' ? 'Nothing here: all is well.' : `No name here has “${search.trim()}” in it.`}
        </p>
      )}
    </>
  );
}

function NothingYet() {
  return (
    <Empty icon="wall" title="No board or camera yet">
      <p>
        A board appears here with its first frame. Have it post raw frames or JPEG to
        <br />
        <code>{location.origin}/api/v1/stream/stream</code>
      </p>
      <p>
        A sketch for the ESP32-CAM lies in <code>server/devices/firmware/</code>.
      </p>
    </Empty>
  );
}
