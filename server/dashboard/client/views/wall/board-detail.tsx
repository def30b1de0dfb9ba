/** A board in full: live, before and after, what it sent lately, and what is known of it. */
import { useState } from 'preact/hooks';
import { call, words } from '../../api.ts';
import { usePage } from '../../page-context.ts';
import { Empty } from '../../parts/empty.tsx';
import { Icon } from '../../parts/icon.tsx';
import { LivePicture } from '../../parts/live-picture.tsx';
import { Progress } from '../../parts/progress.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { SeenFaces } from '../../people/seen-faces.tsx';
import { linkTo } from '../../router.ts';
import type { Source } from '../../sources.ts';
import { useSource, useSourceList } from '../../use-sources.ts';
import { DeviceFacts } from '../devices/device-facts.tsx';
import { BeforeAfter } from './before-after.tsx';
import { History } from './history.tsx';

const TABS = [
  { tab: 'live', label: 'Live' },
  { tab: 'compare', label: 'Before and after' },
  { tab: 'history', label: 'History' },
] as const;

export function BoardDetail({ id, tab }: { id: string; tab: string }) {
  const source = useSource('device', id);
  const { loaded } = useSourceList();
  if (source === null && !loaded) return <Progress label="Loading" />;
  if (source === null)
    return (
      <Empty icon="wall" title={`${id} is not known here`}>
        <p>It may have been removed, or has not sent anything since the server started.</p>
        <p>
          <a href={linkTo('wall')}>Back to the wall</a>
        </p>
      </Empty>
    );
  return (
    <>
      <header class="view-head">
        <a class="button quiet icon-only" href={linkTo('wall')} aria-label="Back to the wall">
          <Icon name="back" />
        </a>
        <h1>{source.name}</h1>
        <StateBadge state={source.state} />
        <div class="actions">
          <RecordButton deviceId={id} />
        </div>
      </header>
      <nav class="tabs" aria-label={`Parts of ${source.name}`}>
        {TABS.map((each) => (
          <a
            key={each.tab}
            href={linkTo('wall', 'device', id, each.tab)}
            aria-current={each.tab === tab ? 'page' : undefined}
          >
            {each.label}
          </a>
        ))}
      </nav>
      {tab === 'compare' ? (
        <BeforeAfter deviceId={id} />
      ) : tab === 'history' ? (
        <History deviceId={id} />
      ) : (
        <Live source={source} />
      )}
    </>
  );
}

function Live({ source }: { source: Source }) {
  const { picture, name } = source;
  return (
    <div class="detail">
      <div
        class="detail-picture"
        style={picture === null ? undefined : { '--ratio': `${picture.width / picture.height}` }}
      >
        {picture === null ? (
          <p class="no-picture">
            <Icon name="devices" />
            No picture has come since the server started.
          </p>
        ) : (
          <LivePicture picture={picture} name={name} />
        )}
      </div>
      <aside class="detail-side" aria-label="What is known of it">
        {source.trouble !== null && <p class="trouble">{source.trouble}</p>}
        {picture !== null && <SeenFaces picture={picture} />}
        {source.device !== null && (
          <section>
            <h2>Board</h2>
            <DeviceFacts device={source.device} />
          </section>
        )}
      </aside>
    </div>
  );
}

function RecordButton({ deviceId }: { deviceId: string }) {
  const { say } = usePage();
  const [busy, setBusy] = useState(false);
  async function record(): Promise<void> {
    setBusy(true);
    try {
      const made = await call<{ success: boolean; message?: string }>('/api/v1/stream/record', {
        method: 'POST',
        json: { deviceId },
      });
      if (made.success) say('The last 30 seconds are recorded. They are under Recordings.');
      else say(`${made.message}.`, 'bad');
    } catch (error) {
      say(words(error), 'bad');
    } finally {
      setBusy(false);
    }
  }
  return (
    <button type="button" disabled={busy} onClick={() => void record()}>
      <Icon name="record" />
      {busy ? 'Recording' : 'Record the last 30 s'}
    </button>
  );
}
