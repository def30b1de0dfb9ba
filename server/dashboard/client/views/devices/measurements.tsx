/** What the sensors of a board measured: a plot for every number that it sends. */
import { useMemo, useState } from 'preact/hooks';
import { serverNow } from '../../clock.ts';
import { useMessages } from '../../page-context.ts';
import { Plot } from '../../parts/plot.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Trouble } from '../../parts/trouble.tsx';
import { useAnswer } from '../../use-answer.ts';
import { type Reading, seriesOf } from './series.ts';

const SPANS = [
  { label: '1 hour', ms: 3_600_000 },
  { label: '6 hours', ms: 6 * 3_600_000 },
  { label: '24 hours', ms: 24 * 3_600_000 },
] as const;
/** A plot of one reading has a width too. */
const LEAST_SPAN_MS = 10_000;
/** As many means as a plot has room for, however many readings there are. */
const MEANS = 288;
/** What comes meanwhile is put before them, until they are asked for again. */
const MOST_READINGS = 1000;
const REFRESH_EVERY_MS = 60_000;

export function Measurements({ deviceId }: { deviceId: string }) {
  const [spanMs, setSpanMs] = useState<number>(SPANS[0].ms);
  // In whole minutes, so that the address stays the same while the view is drawn again.
  const sinceMs = Math.floor((serverNow() - spanMs) / 60_000) * 60_000;
  const { answer, error, reload, change } = useAnswer<{ data: readonly Reading[] }>(
    `/api/v1/ingest/sensor-data?deviceId=${encodeURIComponent(deviceId)}&since=${sinceMs}&buckets=${MEANS}`,
    REFRESH_EVERY_MS,
  );
  useMessages(
    'sensor-data',
    ({ data, timestamp }) => {
      if (data.deviceId !== deviceId) return;
      const reading = { receivedAt: new Date(timestamp).toISOString(), data };
      change((now) => ({ ...now, data: [reading, ...now.data].slice(0, MOST_READINGS) }));
    },
    [deviceId, change],
  );
  const readings = answer?.data ?? [];
  const series = useMemo(() => seriesOf(readings), [readings]);
  const untilMs = serverNow();
  // Where there is less than that, it is drawn as large as it can be.
  const oldest = readings.at(-1);
  const oldestMs = Math.min(oldest ? Date.parse(oldest.receivedAt) : 0, untilMs - LEAST_SPAN_MS);
  const fromMs = Math.max(untilMs - spanMs, oldestMs);

  return (
    <section class="measurements">
      <header class="section-head">
        <h2>Measurements</h2>
        <fieldset class="segments">
          <legend class="hidden">Time shown</legend>
          {SPANS.map(({ label, ms }) => (
            <label key={ms}>
              <input type="radio" name="span" checked={spanMs === ms} onChange={() => setSpanMs(ms)} />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
      </header>
      {error && <Trouble what="The measurements could not be loaded" why={error.message} onRetry={reload} />}
      {answer === null && error === null && <Progress label="Loading the measurements" />}
      {answer !== null && readings.length === 0 && (
        <p class="muted">
          None in this time. A board sends them to <code>/api/v1/ingest/sensor-data</code>; every number in
          them becomes a plot.
        </p>
      )}
      <div class="plots">
        {series.map(({ name, points }) => (
          <Plot key={name} name={name} points={points} fromMs={fromMs} untilMs={untilMs} />
        ))}
      </div>
    </section>
  );
}
