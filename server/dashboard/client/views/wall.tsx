/** Every board with its last picture. */

import { Empty } from '../parts/empty.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { useAnswer } from '../use-answer.ts';
import type { ViewProps } from '../views.ts';

interface Device {
  readonly deviceId: string;
  readonly name: string;
  readonly status: string;
}

const REFRESH_EVERY_MS = 30_000;

export default function Wall(_: ViewProps) {
  const { answer, error, reload } = useAnswer<{ devices: readonly Device[] }>(
    '/api/v1/devices',
    REFRESH_EVERY_MS,
  );
  return (
    <>
      <header class="view-head">
        <h1>Wall</h1>
      </header>
      {error && <Trouble what="The boards could not be listed" why={error.message} onRetry={reload} />}
      {answer === null && error === null && <Progress label="Loading the boards" />}
      {answer?.devices.length === 0 && (
        <Empty icon="wall" title="No board has been heard yet">
          <p>
            Have a board post its frames to <code>{location.origin}/api/v1/stream/stream</code>. It appears
            here with its first frame.
          </p>
        </Empty>
      )}
      <ul class="rows">
        {answer?.devices.map(({ deviceId, name, status }) => (
          <li key={deviceId}>
            {name} <span class="muted">{status}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
