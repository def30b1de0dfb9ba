/** The frame as the sensor sent it against what was made of it, with what was estimated, from where, and what was done. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError, call, words } from '../../api.ts';
import { timeWords } from '../../clock.ts';
import { Empty } from '../../parts/empty.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Trouble } from '../../parts/trouble.tsx';
import { type EnhancementReport, enhancementWords, sensorWords } from './enhancement-words.ts';
import { Slider } from './slider.tsx';

interface LastFrame {
  readonly name: string;
  readonly at: number;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly enhancement: EnhancementReport | null;
  readonly sensor: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly original: { readonly url: string; readonly format: string; readonly bytes: number } | null;
}

type State =
  | { readonly kind: 'loading' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'there'; readonly frame: LastFrame };

/** A board that is quick may send its next frames while this one's are being fetched. */
const MAX_TRIES = 4;

export function BeforeAfter({ deviceId }: { deviceId: string }) {
  const [state, setState] = useState<State>({ kind: 'loading' });

  const take = useCallback(async () => {
    for (let left = MAX_TRIES; ; left--) {
      try {
        const { data } = await call<{ data: LastFrame }>(
          `/api/v1/devices/${encodeURIComponent(deviceId)}/last-frame`,
        );
        // Both are in the browser before either is shown: nobody compares two different frames.
        await Promise.all([data.url, ...(data.original ? [data.original.url] : [])].map(loaded));
        setState({ kind: 'there', frame: data });
        return;
      } catch (error) {
        if (left > 1 && !(error instanceof ApiError)) continue;
        const isNothing = error instanceof ApiError && error.status === 404;
        setState(isNothing ? { kind: 'nothing' } : { kind: 'failed', why: words(error) });
        return;
      }
    }
  }, [deviceId]);
  useEffect(() => void take(), [take]);

  if (state.kind === 'loading') return <Progress label="Fetching the newest frame" />;
  if (state.kind === 'nothing')
    return (
      <Empty icon="camera" title="No frame since the server started">
        <p>Frames are compared while they are in memory. Come back when the board has sent one.</p>
      </Empty>
    );
  if (state.kind === 'failed')
    return <Trouble what="The frame could not be fetched" why={state.why} onRetry={() => void take()} />;
  const { frame } = state;
  return (
    <div class="detail">
      <div>
        <Comparison frame={frame} />
        <div class="below-picture">
          <p class="muted small">
            Frame of {timeWords(frame.at)}
            {frame.original && `, ${frame.original.format}, ${Math.round(frame.original.bytes / 1024)} KiB`}
          </p>
          <button type="button" onClick={() => void take()}>
            Take the newest frame
          </button>
        </div>
      </div>
      <aside class="detail-side" aria-label="What was estimated and done">
        <section>
          <h2>What was done</h2>
          <ul class="sentences">
            {enhancementWords(frame.enhancement, frame.original?.format ?? null).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </section>
        <section>
          <h2>What the board says of its sensor</h2>
          <ul class="sentences">
            {sensorWords(frame.sensor).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
          {frame.warnings.map((warning) => (
            <p key={warning} class="trouble small">
              {warning}
            </p>
          ))}
        </section>
      </aside>
    </div>
  );
}

function Comparison({ frame }: { frame: LastFrame }) {
  if (frame.original === null || frame.original.format === 'JPEG' || frame.enhancement === null)
    return (
      <div class="detail-picture">
        <img class="whole" src={frame.url} alt="As it is stored" width={frame.width} height={frame.height} />
      </div>
    );
  return <Slider before={frame.original.url} after={frame.url} width={frame.width} height={frame.height} />;
}

async function loaded(url: string): Promise<void> {
  const image = new Image();
  image.src = url;
  await image.decode();
}
