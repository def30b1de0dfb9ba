/** One camera: live, what is known of it, and what can be done with it. */
import { useState } from 'preact/hooks';
import { call, words } from '../api.ts';
import { usePage } from '../page-context.ts';
import { Fact, Facts as FactList } from '../parts/facts.tsx';
import { Icon } from '../parts/icon.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { goTo, linkTo } from '../router.ts';
import { CameraForm } from './camera-form.tsx';
import { adviceFor, type CameraView, codecName } from './camera-view.ts';
import { LiveVideo } from './live-video.tsx';

export function CameraPage({ camera, onChanged }: { camera: CameraView; onChanged: () => void }) {
  const [changing, setChanging] = useState(false);
  return (
    <>
      <header class="view-head">
        <a class="button quiet" href={linkTo('cameras')}>
          <Icon name="back" />
          Cameras
        </a>
        <h1>{camera.name}</h1>
        <StateBadge state={camera.state} />
      </header>
      {camera.trouble !== null && <Trouble what={camera.trouble} why={adviceFor(camera.trouble)} />}
      <div class="camera-page">
        <LiveVideo key={camera.url} cameraId={camera.cameraId} name={camera.name} />
        <section class="card" aria-label="About this camera">
          <Facts camera={camera} />
          {camera.saved && !changing && <Actions camera={camera} onChange={() => setChanging(true)} />}
        </section>
      </div>
      {changing && (
        <CameraForm
          camera={camera}
          onDone={() => {
            setChanging(false);
            onChanged();
          }}
        />
      )}
    </>
  );
}

function Facts({ camera }: { camera: CameraView }) {
  const { width, height, frameRate, lastFrameAt, restarts, slots, preview } = camera;
  const facts: readonly (readonly [string, string])[] = [
    ['Address', camera.url],
    ['Sends', `${codecName(camera.codec)}${width === null ? '' : `, ${width} × ${height}`}`],
    ['Frames a second', frameRate === null ? 'being measured' : String(frameRate)],
    [
      'Last picture looked at',
      lastFrameAt === null ? 'none yet' : new Date(lastFrameAt).toLocaleTimeString(),
    ],
    ['Lost so far', restarts === 0 ? 'never' : restarts === 1 ? 'once' : `${restarts} times`],
    ['Faces', camera.recognise ? 'compared with the people who are known' : 'not looked for'],
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
      setAsking(false);
    }
  }

  if (!asking)
    return (
      <p class="actions">
        <button type="button" onClick={onChange}>
          Change
        </button>
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          <Icon name="bin" />
          Delete
        </button>
      </p>
    );
  return (
    <div class="actions">
      <p role="alert">Delete {camera.name}? Its address and password are forgotten.</p>
      <button type="button" class="danger" disabled={deleting} onClick={() => void remove()}>
        Delete it
      </button>
      <button type="button" disabled={deleting} onClick={() => setAsking(false)}>
        Keep it
      </button>
    </div>
  );
}
