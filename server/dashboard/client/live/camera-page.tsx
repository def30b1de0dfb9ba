/** One camera: live, what is known of it, and what can be done with it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { call, words } from '../api.ts';
import { usePage } from '../page-context.ts';
import { Age } from '../parts/age.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Fact, Facts as FactList } from '../parts/facts.tsx';
import { Icon } from '../parts/icon.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { SeenFaces } from '../people/seen-faces.tsx';
import { goTo, linkTo } from '../router.ts';
import { useSource } from '../use-sources.ts';
import { CameraForm } from './camera-form.tsx';
import { adviceFor, type CameraView, sendsWords } from './camera-view.ts';
import { LiveVideo } from './live-video.tsx';

export function CameraPage({ camera, onChanged }: { camera: CameraView; onChanged: () => void }) {
  const [changing, setChanging] = useState(false);
  const picture = useSource('camera', camera.cameraId)?.picture ?? null;
  const isLookedAt = camera.recognise || camera.slots.length > 0;
  return (
    <>
      <header class="view-head">
        <a class="button quiet icon-only" href={linkTo('cameras')} aria-label="Back to the cameras">
          <Icon name="back" />
        </a>
        <h1>{camera.name}</h1>
        <StateBadge state={camera.state} />
        {camera.saved && !changing && <Actions camera={camera} onChange={() => setChanging(true)} />}
      </header>
      {camera.trouble !== null && <Trouble what={camera.trouble} why={adviceFor(camera.trouble)} />}
      {changing && (
        <CameraForm
          camera={camera}
          onDone={() => {
            setChanging(false);
            onChanged();
          }}
        />
      )}
      <div class="detail">
        <LiveVideo key={camera.url} cameraId={camera.cameraId} name={camera.name} />
        <aside class="detail-side" aria-label="What is known of it">
          {picture !== null && isLookedAt && <SeenFaces picture={picture} />}
          <section>
            <h2>Camera</h2>
            <Facts camera={camera} pictureAt={picture?.at ?? null} />
          </section>
        </aside>
      </div>
    </>
  );
}

function Facts({ camera, pictureAt }: { camera: CameraView; pictureAt: number | null }) {
  const { state, frameRate, lastFrameAt, restarts, slots, preview } = camera;
  const at = pictureAt ?? (lastFrameAt === null ? null : Date.parse(lastFrameAt));
  const facts: readonly (readonly [string, ComponentChildren])[] = [
    ['Address', camera.url],
    ['Sends', sendsWords(camera)],
    ['Frames a second', frameRate?.toString() ?? (state === 'live' ? 'being measured' : 'not known yet')],
    ['Last scan', at === null ? 'none yet' : <Age at={at} />],
    ['Lost so far', restarts === 0 ? 'never' : restarts === 1 ? 'once' : `${restarts} times`],
    ['Faces', camera.recognise ? 'compared with the people who are known' : 'not compared with the people'],
    ['Sessions', slots.length === 0 ? 'none' : slots.map(({ slotId }) => `slot ${slotId}`).join(', ')],
    ['Live view', preview.kind === 'webrtc' ? 'WebRTC' : 'single pictures'],
  ];
  return (
    <>
      <FactList>
        {facts.map(([term, value]) => (
          <Fact key={term} name={term}>
            {value}
          </Fact>
        ))}
      </FactList>
      {preview.why !== null && <p class="small muted">Why no better: {preview.why}</p>}
    </>
  );
}

function Actions({ camera, onChange }: { camera: CameraView; onChange: () => void }) {
  const { say } = usePage();
  const [asking, setAsking] = useState(false);
  const [deleting, setDeleting] = useState(false);

  async function remove(): Promise<void> {
    setDeleting(true);
    try {
      await call(`/api/v1/cameras/${camera.cameraId}`, { method: 'DELETE' });
      say(`${camera.name} is deleted.`, 'good');
      goTo('cameras');
    } catch (error) {
      say(words(error), 'bad');
      setDeleting(false);
    }
  }

  return (
    <div class="actions">
      <button type="button" disabled={deleting} onClick={onChange}>
        Change
      </button>
      <button type="button" class="danger" disabled={deleting} onClick={() => setAsking(true)}>
        <Icon name="bin" />
        Delete
      </button>
      {asking && (
        <Confirm
          title={`Delete ${camera.name}?`}
          action="Delete it"
          onConfirm={() => void remove()}
          onClose={() => setAsking(false)}
        >
          <p>Its address and its password are forgotten.</p>
        </Confirm>
      )}
    </div>
  );
}
