/** One board or camera on the wall. */
import { Age } from '../../parts/age.tsx';
import { Icon } from '../../parts/icon.tsx';
import { moodOf, StateBadge } from '../../parts/state-badge.tsx';
import { linkToSource } from '../../router.ts';
import type { Source } from '../../sources.ts';
import { useSource } from '../../use-sources.ts';
import { TilePicture } from './tile-picture.tsx';
import type { TilePictures } from './tile-pictures.ts';

export interface TileProps {
  readonly kind: Source['kind'];
  readonly id: string;
  readonly pictures: TilePictures;
}

export function Tile({ kind, id, pictures }: TileProps) {
  const source = useSource(kind, id);
  if (source === null) return null;
  const { name, state, picture, trouble } = source;
  return (
    <li class={`tile ${moodOf(state) === 'bad' ? 'silent' : ''}`}>
      <a href={linkToSource(kind, id)}>
        <div class="tile-picture">
          {picture === null ? (
            <p class="no-picture">
              <Icon name={kind === 'device' ? 'devices' : 'camera'} />
              {trouble ?? 'No picture yet'}
            </p>
          ) : (
            <TilePicture id={source.key} picture={picture} name={name} pictures={pictures} />
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
