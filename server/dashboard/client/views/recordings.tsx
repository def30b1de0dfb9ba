/** Recordings: make one of the last half minute, play, save, delete. */
import { useState } from 'preact/hooks';
import { call, words } from '../api.ts';
import { timeWords } from '../clock.ts';
import { useMessages, usePage } from '../page-context.ts';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { useAnswer } from '../use-answer.ts';
import { useSourceList } from '../use-sources.ts';
import type { ViewProps } from '../views.ts';

interface Recording {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly createdAt: string;
  /** Bytes. */
  readonly size: number;
}

export default function Recordings(_: ViewProps) {
  const { say } = usePage();
  const { answer, error, reload, change } = useAnswer<{ data: readonly Recording[] }>(
    '/api/v1/stream/recordings',
  );
  const [playing, setPlaying] = useState<Recording | null>(null);
  const [doomed, setDoomed] = useState<Recording | null>(null);
  useMessages('recording', reload, [reload]);
  const recordings = answer?.data ?? [];
  const { list } = useSourceList();
  /** `door-1_1764200000000.mp4` is of door-1. */
  const whose = ({ id }: Recording): string => {
    const prefix = id.replace(/_\d{12,14}$/, '');
    if (prefix === 'all_devices') return 'All boards';
    return list.find((source) => source.kind === 'device' && source.id === prefix)?.name ?? prefix;
  };

  async function remove({ name }: Recording): Promise<void> {
    try {
      await call(`/api/v1/stream/recordings/${encodeURIComponent(name)}`, { method: 'DELETE' });
      change((now) => ({ ...now, data: now.data.filter((recording) => recording.name !== name) }));
      say('The recording is deleted.');
    } catch (thrown) {
      say(words(thrown), 'bad');
    }
  }

  return (
    <>
      <header class="view-head">
        <h1>Recordings</h1>
        {recordings.length > 0 && (
          <p class="muted small">
            {recordings.length} · {sizeWords(recordings.reduce((sum, { size }) => sum + size, 0))}
          </p>
        )}
      </header>
      <Recorder onMade={reload} />
      {error && <Trouble what="The recordings could not be listed" why={error.message} onRetry={reload} />}
      {answer === null && error === null && <Progress label="Loading the recordings" />}
      {answer !== null && recordings.length === 0 && (
        <Empty icon="recordings" title="No recording yet">
          <p>
            A recording is made of the frames of the last 30 seconds: when something has happened, there is
            time to keep it. Choose a board above, or all of them.
          </p>
        </Empty>
      )}
      <ul class="cards">
        {recordings.map((recording) => (
          <li key={recording.name} class="card recording">
            <button
              type="button"
              class="poster"
              aria-label={`Play ${whose(recording)}, ${timeWords(recording.createdAt)}`}
              onClick={() => setPlaying(recording)}
            >
              <video src={`${recording.url}#t=0.1`} preload="metadata" muted playsInline tabIndex={-1} />
              <Icon name="play" />
            </button>
            <div class="recording-foot">
              <div>
                <p class="strong">{whose(recording)}</p>
                <p class="muted small">
                  {timeWords(recording.createdAt)} · {sizeWords(recording.size)}
                </p>
              </div>
              <button
                type="button"
                class="quiet icon-only"
                aria-label={`Delete ${whose(recording)}, ${timeWords(recording.createdAt)}`}
                onClick={() => setDoomed(recording)}
              >
                <Icon name="bin" />
              </button>
            </div>
          </li>
        ))}
      </ul>
      {playing && (
        <Dialog
          title={`${whose(playing)}, ${timeWords(playing.createdAt)}`}
          onClose={() => setPlaying(null)}
          wide
        >
          {/* biome-ignore lint/a11y/useMediaCaption: boards record no sound */}
          <video class="whole" src={playing.url} controls autoPlay playsInline />
          <p>
            <a href={playing.url} download={playing.name}>
              Save the video
            </a>
          </p>
        </Dialog>
      )}
      {doomed && (
        <Confirm
          title="Delete this recording?"
          action="Delete"
          onConfirm={() => void remove(doomed)}
          onClose={() => setDoomed(null)}
        >
          <p>
            {whose(doomed)} of {timeWords(doomed.createdAt)} will be gone for good.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Recorder({ onMade }: { onMade: () => void }) {
  const { say } = usePage();
  const { list } = useSourceList();
  const [deviceId, setDeviceId] = useState('');
  const [busy, setBusy] = useState(false);
  const boards = list.filter(({ kind }) => kind === 'device');

  async function record(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      const made = await call<{ success: boolean; message?: string; data?: { frameCount: number } }>(
        '/api/v1/stream/record',
        { method: 'POST', json: deviceId === '' ? {} : { deviceId } },
      );
      if (made.success) say(`Recorded ${made.data?.frameCount} frames.`);
      else say(`${made.message}. Check that the board sends, then try again.`, 'bad');
      onMade();
    } catch (thrown) {
      say(words(thrown), 'bad');
    } finally {
      setBusy(false);
    }
  }

  return (
    <form class="toolbar recorder" onSubmit={(event) => void record(event)}>
      <label class="inline">
        <span>Record the last 30 s of</span>
        <select value={deviceId} onChange={(event) => setDeviceId(event.currentTarget.value)}>
          <option value="">all boards</option>
          {boards.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={busy}>
        <Icon name="record" />
        Record
      </button>
      {busy && <Progress label="Making the video; this takes a few seconds" />}
    </form>
  );
}

export function sizeWords(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
