/** One board: how it is, what it can be told, what its sensors measured. */
import type { ApiError } from '../../api.ts';
import { Empty } from '../../parts/empty.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Progress } from '../../parts/progress.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Trouble } from '../../parts/trouble.tsx';
import { linkTo } from '../../router.ts';
import type { DeviceRecord } from '../../sources.ts';
import { Commands } from './commands.tsx';
import { DeviceFacts } from './device-facts.tsx';
import { Measurements } from './measurements.tsx';

export interface DevicePageProps {
  readonly id: string;
  /** Null where it is not known; undefined until that is clear. */
  readonly device: DeviceRecord | null | undefined;
  readonly error: ApiError | null;
  readonly onReload: () => void;
}

export function DevicePage({ id, device, error, onReload }: DevicePageProps) {
  if (device === undefined && error === null) return <Progress label="Loading the board" />;
  if (device === undefined && error !== null)
    return <Trouble what="The board could not be loaded" why={error.message} onRetry={onReload} />;
  if (device === null || device === undefined)
    return (
      <Empty icon="devices" title={`No board ${id}`}>
        <p>
          <a href={linkTo('devices')}>All boards</a>
        </p>
      </Empty>
    );
  return (
    <>
      <header class="view-head">
        <a class="button quiet icon-only" href={linkTo('devices')} aria-label="All boards">
          <Icon name="back" />
        </a>
        <h1>{device.name}</h1>
        <StateBadge state={device.status} />
        <div class="actions">
          <a class="button" href={linkTo('wall', 'device', id)}>
            <Icon name="wall" />
            See its pictures
          </a>
        </div>
      </header>
      <div class="columns">
        <section class="card panel">
          <h2>State</h2>
          <DeviceFacts device={device} />
        </section>
        <section class="card panel">
          <h2>Commands</h2>
          <Commands device={device} onSent={onReload} />
        </section>
      </div>
      <Measurements deviceId={id} />
    </>
  );
}
