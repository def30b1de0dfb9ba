/** One board or camera on the wall. */
import { Age } from '../../parts/age.tsx';
import { Icon } from '../../parts/icon.tsx';
import { LivePicture } from '../../parts/live-picture.tsx';
import { moodOf, StateBadge } from '../../parts/state-badge.tsx';
import { linkTo } from '../../router.ts';
import type { Source } from '../../sources.ts';
import { useSource } from '../../use-sources.ts';

export function Tile({ kind, id }: { kind: Source['kind']; id: string }) {
  const source = useSource(kind, id);
  if (source === null) return null;
  const { name, state, picture, trouble } = source;
  return (
    <li class={`tile ${moodOf(state) === 'bad' ? 'silent' : ''}`}>
      <a href={linkTo('wall', kind, id)}>
        <div class="tile-picture">
          {picture === null ? (
            <p class="no-picture">
              <Icon name={kind === 'device' ? 'devices' : 'camera'} />
              {trouble ?? 'No picture yet'}
            </p>
          ) : (
            <LivePicture picture={picture} name={name} />
          )}
        </div>
        <div class="tile-foot">
          <span class="tile-name">{name}</span>
          {picture !== null && <Age at={picture.at} />}
          <StateBadge state={state} />
        </div>
      </a>
    </li>
  );
}
