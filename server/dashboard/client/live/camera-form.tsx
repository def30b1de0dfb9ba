/** Adds a camera, or changes one: name and address, a test that shows what the camera sends, and what to do where it fails. */
import { useState } from 'preact/hooks';
import { call, words } from '../api.ts';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { adviceFor, type CameraView } from './camera-view.ts';

interface TestAnswer {
  readonly data: {
    readonly connected: boolean;
    readonly error?: string;
    readonly frameRate?: number | null;
    readonly resolution?: { readonly width: number; readonly height: number };
    readonly latency?: number;
    readonly stability?: string;
  };
}

type Test =
  | { readonly at: 'none' | 'running' }
  | { readonly at: 'done'; readonly answer: TestAnswer['data'] };

export interface CameraFormProps {
  /** The one to change; without it a new one is made. */
  readonly camera?: CameraView;
  readonly onDone: (saved: CameraView | null) => void;
}

export function CameraForm({ camera, onDone }: CameraFormProps) {
  const [name, setName] = useState(camera?.name ?? '');
  const [rtspUrl, setUrl] = useState('');
  const [recognise, setRecognise] = useState(camera?.recognise ?? true);
  const [test, setTest] = useState<Test>({ at: 'none' });
  const [trouble, setTrouble] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const isBusy = saving || test.at === 'running';

  async function tryIt(): Promise<void> {
    setTrouble(null);
    setTest({ at: 'running' });
    try {
      const query: Record<string, string> = rtspUrl === '' ? { cameraId: camera!.cameraId } : { rtspUrl };
      const { data } = await call<TestAnswer>(
        `/api/v1/cameras/test-connection?${new URLSearchParams(query)}`,
      );
      setTest({ at: 'done', answer: data });
    } catch (error) {
      setTest({ at: 'none' });
      setTrouble(words(error));
    }
  }

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    setTrouble(null);
    setSaving(true);
    try {
      const json = { name, recognise, ...(rtspUrl === '' ? {} : { rtspUrl }) };
      const { data } = await call<{ data: CameraView }>(
        camera ? `/api/v1/cameras/${camera.cameraId}` : '/api/v1/cameras',
        { method: camera ? 'PUT' : 'POST', json },
      );
      onDone(data);
    } catch (error) {
      setTrouble(words(error));
      setSaving(false);
    }
  }

  return (
    <form class="card camera-form" onSubmit={(event) => void save(event)}>
      <h2>{camera ? `Change ${camera.name}` : 'Add a camera'}</h2>
      <label>
        Name
        <input
          required
          maxLength={100}
          autocomplete="off"
          placeholder="Entrance"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <label>
        {camera ? 'New RTSP address (empty: it stays)' : 'RTSP address'}
        <input
          required={!camera}
          maxLength={1024}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="rtsp://user:password@192.168.1.10:554/stream1"
          value={rtspUrl}
          onInput={({ currentTarget }) => {
            setUrl(currentTarget.value.trim());
            setTest({ at: 'none' });
          }}
        />
      </label>
      <p class="small muted">The password is kept on the server and never shown again.</p>
      <label class="check">
        <input
          type="checkbox"
          checked={recognise}
          onChange={({ currentTarget }) => setRecognise(currentTarget.checked)}
        />
        Compare faces with the people who are known
      </label>
      {test.at === 'running' && (
        <Progress label="Waiting for the camera’s first pictures, at most 10 seconds" />
      )}
      {test.at === 'done' && <TestResult answer={test.answer} />}
      {trouble !== null && <Trouble what="This did not work" why={trouble} />}
      <p class="button-row">
        <button type="button" disabled={isBusy || (rtspUrl === '' && !camera)} onClick={() => void tryIt()}>
          Test
        </button>
        <button type="submit" class="primary" disabled={isBusy}>
          {saving ? 'Saving' : 'Save'}
        </button>
        <button type="button" class="quiet" disabled={saving} onClick={() => onDone(null)}>
          Cancel
        </button>
      </p>
    </form>
  );
}

function TestResult({ answer }: { answer: TestAnswer['data'] }) {
  if (!answer.connected) {
    const why = answer.error ?? 'The camera gives no picture';
    return <Trouble what={why} why={adviceFor(why)} />;
  }
  const { resolution, frameRate, latency, stability } = answer;
  const rate = frameRate == null ? '' : `, ${frameRate} frames a second`;
  const even = stability === 'unstable' ? ' Its pictures come unevenly: the network may be slow.' : '';
  return (
    <p class="works" role="status">
      <Icon name="check" />
      <span>
        The camera works: {resolution?.width} × {resolution?.height}
        {rate}, first picture after {((latency ?? 0) / 1000).toFixed(1)} s.{even}
      </span>
    </p>
  );
}
