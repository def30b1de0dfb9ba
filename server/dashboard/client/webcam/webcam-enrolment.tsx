/** The camera with advice over it: takes the picture when it is good, sends it, and shows what the server says. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../api.ts';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { type EnrolmentAnswer, enrolPicture } from '../people/calls.ts';
import { ADVICE_WORDS } from './advice.ts';
import { useWebcam, type Webcam } from './use-webcam.ts';

export interface WebcamEnrolmentProps {
  readonly name: string;
  readonly onEnrolled: (answer: EnrolmentAnswer) => void;
  /** Shows the other way to add pictures. */
  readonly onUpload: () => void;
}

type Taken =
  | { readonly kind: 'none' }
  | { readonly kind: 'sending'; readonly url: string }
  | { readonly kind: 'enrolled'; readonly url: string; readonly answer: EnrolmentAnswer }
  | { readonly kind: 'refused'; readonly url: string; readonly why: string };

export function WebcamEnrolment({ name, onEnrolled, onUpload }: WebcamEnrolmentProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [attempt, setAttempt] = useState(0);
  const [taken, setTaken] = useState<Taken>({ kind: 'none' });
  const sending = useRef(false);
  const [ratio, setRatio] = useState('4 / 3');

  const take = useCallback(async () => {
    if (sending.current) return;
    sending.current = true;
    try {
      const picture = await webcam.current!.take();
      const url = URL.createObjectURL(picture);
      setTaken({ kind: 'sending', url });
      try {
        const answer = await enrolPicture(name, picture);
        setTaken({ kind: 'enrolled', url, answer });
        onEnrolled(answer);
      } catch (error) {
        setTaken({ kind: 'refused', url, why: words(error) });
      }
    } finally {
      sending.current = false;
    }
  }, [name, onEnrolled]);

  const current = useWebcam(video, taken.kind === 'none', () => void take(), attempt);
  const webcam = useRef<Webcam | null>(null);
  webcam.current = current;
  const url = taken.kind === 'none' ? null : taken.url;
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);

  const { state } = current;
  if (state.kind === 'failed')
    return (
      <>
        <Trouble
          what="The webcam cannot be used"
          why={state.why}
          onRetry={() => setAttempt((count) => count + 1)}
        />
        <button type="button" class="primary" onClick={onUpload}>
          Upload pictures instead
        </button>
      </>
    );

  const ready = state.kind === 'running' || state.kind === 'unassisted';
  return (
    <div class="webcam">
      <div class="webcam-stage" style={{ aspectRatio: ratio }}>
        <video
          ref={video}
          muted
          playsInline
          class="mirrored"
          aria-label="What the camera shows"
          onLoadedMetadata={({ currentTarget: { videoWidth, videoHeight } }) =>
            setRatio(`${videoWidth} / ${videoHeight}`)
          }
        />
        {taken.kind === 'none' ? (
          <FaceOutline webcam={current} />
        ) : (
          <img class="mirrored" src={taken.url} alt="Taken just now" />
        )}
      </div>
      <div class="webcam-words">
        {state.kind === 'camera' && <Progress label="Waiting for the camera: allow it if the browser asks" />}
        {state.kind === 'loading' && <Progress label={loadingWords(state.bytes)} />}
        {state.kind === 'unassisted' && (
          <p class="muted">
            No advice is possible here: {state.why} Take the picture by the button; the server checks it.
          </p>
        )}
        {state.kind === 'running' && taken.kind === 'none' && <AdviceLine webcam={current} />}
        <Outcome taken={taken} />
        <div class="button-row">
          {taken.kind === 'none' ? (
            <button type="button" class="primary" disabled={!ready} onClick={() => void take()}>
              <Icon name="camera" />
              Take the picture now
            </button>
          ) : (
            <button
              type="button"
              class="primary"
              disabled={taken.kind === 'sending'}
              onClick={() => setTaken({ kind: 'none' })}
            >
              <Icon name="camera" />
              {taken.kind === 'refused' ? 'Try again' : 'Take another picture'}
            </button>
          )}
        </div>
        {state.kind === 'running' && (
          <p class="muted small">
            Faces are looked for in this browser ({state.provider === 'webgpu' ? 'WebGPU' : 'WebAssembly'}).
            Nothing leaves it before the picture is taken.
          </p>
        )}
      </div>
    </div>
  );
}

const loadingWords = (bytes: number | null): string =>
  bytes === null
    ? 'Getting the face detector ready'
    : `Loading the face detector: ${(bytes / 1e6).toFixed(1)} MB, once`;

function AdviceLine({ webcam: { advice, steady } }: { webcam: Webcam }) {
  const code = advice ?? 'nobody';
  return (
    <>
      <p class={`advice ${code === 'ready' ? 'good' : ''}`} role="status">
        {ADVICE_WORDS[code]}
      </p>
      <progress max={1} value={steady} aria-label="Until the picture is taken" />
    </>
  );
}

function FaceOutline({ webcam: { look, advice } }: { webcam: Webcam }) {
  if (look === null) return null;
  const mood = advice === 'ready' ? 'good' : '';
  return (
    <svg class="mirrored" viewBox={`0 0 ${look.width} ${look.height}`} aria-hidden="true">
      {look.faces.map(({ box }) => (
        <rect
          key={`${box.x} ${box.y}`}
          class={`outline ${mood}`}
          x={box.x}
          y={box.y}
          width={box.width}
          height={box.height}
          rx={box.width / 20}
        />
      ))}
    </svg>
  );
}

function Outcome({ taken }: { taken: Taken }) {
  return (
    <div role="status">
      {taken.kind === 'sending' && <Progress label="The server looks at the picture" />}
      {taken.kind === 'enrolled' && (
        <>
          <p class="advice good">Enrolled</p>
          {taken.answer.warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
          <p class="muted">Two or three pictures, with and without glasses, are better than one.</p>
        </>
      )}
      {taken.kind === 'refused' && (
        <>
          <p class="advice bad">Not taken</p>
          <p>{taken.why}</p>
        </>
      )}
    </div>
  );
}
