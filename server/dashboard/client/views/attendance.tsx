/** Attendance: the slots that run, how their cameras are, who is seen, and what the backend has not taken yet. */
import { useEffect, useReducer, useState } from 'preact/hooks';
import { call, sentence, words } from '../api.ts';
import { durationWords, timeWords } from '../clock.ts';
import { usePage } from '../page-context.ts';
import { Age } from '../parts/age.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Empty } from '../parts/empty.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Progress } from '../parts/progress.tsx';
import { Badge } from '../parts/state-badge.tsx';
import { Trouble } from '../parts/trouble.tsx';
import type { SeenStudent } from '../recognitions.ts';
import { useAnswer } from '../use-answer.ts';
import type { ViewProps } from '../views.ts';

interface SessionCamera {
  readonly id: number;
  readonly name: string;
  readonly active: boolean;
  readonly frameRate: number | null;
  readonly lastFrameAt: string | null;
  readonly error: string | null;
}

interface Session {
  readonly slotId: number;
  readonly roomId: number;
  readonly totalStudents: number;
  readonly totalCameras: number;
  readonly activeCameras: number;
  readonly config: { readonly similarityThreshold: number; readonly scanInterval: number };
  readonly sessionStartedAt: string;
  /** Seconds. */
  readonly sessionDuration: number;
  readonly totalRecognitions: number;
  readonly pendingRecognitions: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly cameras: readonly SessionCamera[];
}

const REFRESH_EVERY_MS = 3000;

export default function Attendance(_: ViewProps) {
  const { answer, error, reload } = useAnswer<{ data: { sessions: readonly Session[] } }>(
    '/api/v1/recognition/sessions',
    REFRESH_EVERY_MS,
  );
  const sessions = answer?.data.sessions ?? [];
  const waiting = sessions.reduce((sum, { pendingRecognitions }) => sum + pendingRecognitions, 0);

  return (
    <>
      <header class="view-head">
        <h1>Attendance</h1>
        {sessions.length > 0 && (
          <p class="muted small">
            {sessions.length} {sessions.length === 1 ? 'slot runs' : 'slots run'}
            {waiting > 0 && ` · ${waiting} results wait for the backend`}
          </p>
        )}
      </header>
      {error?.status === 404 ? (
        <Empty icon="attendance" title="Attendance is not available here">
          <p>It needs ffmpeg on the server. Install it, or set FFMPEG_PATH, and start the server again.</p>
        </Empty>
      ) : (
        error && <Trouble what="The slots could not be listed" why={error.message} onRetry={reload} />
      )}
      {answer === null && error === null && <Progress label="Loading the slots" />}
      {answer !== null && sessions.length === 0 && (
        <Empty icon="attendance" title="No slot runs">
          <p>
            The backend starts a session for each class slot with{' '}
            <code>POST /api/v1/recognition/process-session</code>. It appears here while it runs.
          </p>
        </Empty>
      )}
      {sessions.map((session) => (
        <Slot key={session.slotId} session={session} onStopped={reload} />
      ))}
    </>
  );
}

interface SlotProps {
  readonly session: Session;
  readonly onStopped: () => void;
}

function Slot({ session, onStopped }: SlotProps) {
  const { say, recognitions } = usePage();
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => recognitions.onChange(() => redraw()), [recognitions]);
  const seen = recognitions.of(session.slotId);
  const [asking, setAsking] = useState(false);
  const [stopping, setStopping] = useState(false);

  async function stop(): Promise<void> {
    setStopping(true);
    try {
      await call('/api/v1/recognition/stop-session', { method: 'POST', json: { slotId: session.slotId } });
      say(`Slot ${session.slotId} is stopped.`);
      onStopped();
    } catch (error) {
      say(words(error), 'bad');
      setStopping(false);
    }
  }

  return (
    <section class="card slot">
      <header class="section-head">
        <h2>
          Slot {session.slotId} <span class="muted">in room {session.roomId}</span>
        </h2>
        <CamerasBadge session={session} />
        {session.pendingRecognitions > 0 && (
          <Badge mood="warn">{session.pendingRecognitions} results wait for the backend</Badge>
        )}
        <button type="button" disabled={stopping} onClick={() => setAsking(true)}>
          {stopping ? 'Stopping' : 'Stop'}
        </button>
      </header>
      <div class="slot-body">
        <div class="stack">
          <Facts>
            <Fact name="Started">
              {timeWords(session.sessionStartedAt)}, {durationWords(session.sessionDuration)} ago
            </Fact>
            <Fact name="Students">
              {session.totalStudents} expected
              {seen.length > 0 && `, ${seen.length} seen since this page is open`}
            </Fact>
            <Fact name="Results">
              {session.totalRecognitions} taken by the backend, {session.pendingRecognitions} waiting
            </Fact>
            <Fact name="Looks">
              {session.counts.scans ?? 0} scans, {session.counts.faces ?? 0} faces,{' '}
              {session.counts.unknown ?? 0} unknown, {session.counts.uncertain ?? 0} uncertain
            </Fact>
            <Fact name="Threshold">
              {session.config.similarityThreshold}, every {session.config.scanInterval} s
            </Fact>
          </Facts>
          <h3>Cameras</h3>
          <ul class="rows">
            {session.cameras.map((camera) => (
              <li key={camera.id}>
                <span class="strong">{camera.name}</span>
                <span class="row-end">
                  {camera.active && camera.frameRate !== null && (
                    <span class="muted small">{camera.frameRate.toFixed(1)} frames/s</span>
                  )}
                  <Badge mood={camera.active ? 'good' : 'bad'}>
                    {camera.active ? 'Running' : 'No picture'}
                  </Badge>
                </span>
                {camera.error !== null && <p class="trouble small whole-row">{sentence(camera.error)}</p>}
              </li>
            ))}
          </ul>
        </div>
        <Recognitions seen={seen} />
      </div>
      {asking && (
        <Confirm
          title={`Stop slot ${session.slotId}?`}
          action="Stop the slot"
          onConfirm={() => void stop()}
          onClose={() => setAsking(false)}
        >
          <p>Nobody is looked for any more. What was found is sent to the backend first.</p>
        </Confirm>
      )}
    </section>
  );
}

function CamerasBadge({ session: { activeCameras, totalCameras } }: { session: Session }) {
  const mood = activeCameras === totalCameras ? 'good' : activeCameras === 0 ? 'bad' : 'warn';
  return (
    <Badge mood={mood}>
      {activeCameras} of {totalCameras} cameras
    </Badge>
  );
}

function Recognitions({ seen }: { seen: readonly SeenStudent[] }) {
  const [announced, setAnnounced] = useState('');
  const newest = seen[0]?.message;
  // One at a time: a full class that comes in is no reading aloud.
  useEffect(() => {
    const timer = setTimeout(() => setAnnounced(newest ? `${newest.fullName} seen` : ''), 1000);
    return () => clearTimeout(timer);
  }, [newest]);
  return (
    <div class="recognitions">
      <h3>Seen, as it comes</h3>
      <p class="hidden" aria-live="polite">
        {announced}
      </p>
      {seen.length === 0 && <p class="muted">Nobody since this page is open.</p>}
      <ol class="rows scrolling" tabIndex={seen.length > 6 ? 0 : undefined} aria-label="Seen, newest first">
        {seen.map(({ message, times }) => (
          <li key={message.userId}>
            <span>
              <span class="strong">{message.fullName}</span>{' '}
              <span class="muted small">{message.rollNumber}</span>
            </span>
            <span class="row-end muted small">
              {message.cameraName} · similarity {message.similarity.toFixed(2)} ·{' '}
              {times === 1 ? 'once' : `${times} times`} · <Age at={message.timestamp} />
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
