/** One board or camera on the wall. */
import { useCallback } from 'preact/hooks';
import { usePage } from '../../page-context.ts';
import { ChangingAge } from '../../parts/age.tsx';
import { Icon } from '../../parts/icon.tsx';
import { moodOf, StateBadge } from '../../parts/state-badge.tsx';
import { linkToSource } from '../../router.ts';
import type { Source } from '../../sources.ts';
import { useSourceButPictures } from '../../use-sources.ts';
import { TilePicture } from './tile-picture.tsx';
import type { TilePictures } from './tile-pictures.ts';

export interface TileProps {
  readonly kind: Source['kind'];
  readonly id: string;
  readonly pictures: TilePictures;
}

export function Tile({ kind, id, pictures }: TileProps) {
  const { sources } = usePage();
  const source = useSourceButPictures(kind, id);
  const key = source?.key ?? '';
  const pictureAt = useCallback(() => sources.get(key)?.picture?.at ?? 0, [sources, key]);
  if (source === null) return null;
  const { name, state, hasPicture, trouble } = source;
  return (
    <li class={`tile ${moodOf(state) === 'bad' ? 'silent' : ''}`}>
      <a href={linkToSource(kind, id)}>
        <div class="tile-picture">
          {hasPicture ? (
            <TilePicture id={key} name={name} pictures={pictures} />
          ) : (
            <p class="no-picture">
              <Icon name={kind === 'device' ? 'devices' : 'camera'} />
              {trouble ?? 'No picture yet'}
            </p>
          )}
        </div>
        <div class="tile-foot">
          <span class="tile-name">{name}</span>
          {hasPicture && <ChangingAge of={pictureAt} />}
          <StateBadge state={state} />
        </div>
      </a>
    </li>
  );
}
