/** A board in full: live, before and after, what it sent lately, and what is known of it. */
import { useState } from 'preact/hooks';
import { call, words } from '../../api.ts';
import { usePage } from '../../page-context.ts';
import { Age } from '../../parts/age.tsx';
import { Empty } from '../../parts/empty.tsx';
import { facesWords } from '../../parts/face-boxes.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { Icon } from '../../parts/icon.tsx';
import { LivePicture } from '../../parts/live-picture.tsx';
import { Progress } from '../../parts/progress.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { EnrolFromPicture } from '../../people/enrol-from-picture.tsx';
import { linkTo } from '../../router.ts';
import type { Picture, Source } from '../../sources.ts';
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
        <Faces source={source} />
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

function Faces({ source: { picture } }: { source: Source }) {
  /** The picture as it was when somebody wanted to enrol a face of it: the next one comes soon. */
  const [held, setHeld] = useState<Picture | null>(null);
  if (picture === null) return null;
  return (
    <section>
      <h2>In the picture</h2>
      <p class="hidden" aria-live="polite">
        {facesWords(picture.faces)}
      </p>
      <Facts>
        <Fact name="Picture">
          {picture.width} × {picture.height}, <Age at={picture.at} />
        </Fact>
      </Facts>
      {picture.faces.length === 0 && <p class="muted">No face.</p>}
      <ul class="rows">
        {picture.faces.map(({ box, recognizedAs, similarity }) => (
          <li key={`${box.x} ${box.y}`}>
            <span class={recognizedAs === null ? 'muted' : 'strong'}>{recognizedAs ?? 'Unknown'}</span>
            <span class="muted small">
              {similarity === null ? 'nobody is enrolled' : `similarity ${similarity.toFixed(2)}`}
            </span>
          </li>
        ))}
      </ul>
      {picture.faces.length > 0 && (
        <button type="button" onClick={() => setHeld(picture)}>
          <Icon name="people" />
          Enrol a face of this picture
        </button>
      )}
      {held !== null && <EnrolFromPicture picture={held} onClose={() => setHeld(null)} />}
    </section>
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
