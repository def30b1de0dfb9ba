/** Boards: which are there and how they are; one of them with its commands and what its sensors measured. */

import { durationWords } from '../clock.ts';
import { useMessages } from '../page-context.ts';
import { Age } from '../parts/age.tsx';
import { Empty } from '../parts/empty.tsx';
import { Progress } from '../parts/progress.tsx';
import { Signal } from '../parts/signal.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { linkTo } from '../router.ts';
import type { DeviceRecord } from '../sources.ts';
import { useAnswer } from '../use-answer.ts';
import type { ViewProps } from '../views.ts';
import { memoryWords } from './devices/device-facts.tsx';
import { DevicePage } from './devices/device-page.tsx';

/** Heartbeats are not broadcast: signal and memory are asked for. */
const REFRESH_EVERY_MS = 10_000;

export default function Devices({ rest }: ViewProps) {
  const { answer, error, reload } = useAnswer<{ devices: readonly DeviceRecord[] }>(
    '/api/v1/devices',
    REFRESH_EVERY_MS,
  );
  useMessages('device-status', reload, [reload]);
  const [id] = rest;
  const devices = answer?.devices ?? [];
  if (id !== undefined)
    return (
      <DevicePage
        id={id}
        device={answer === null ? undefined : (devices.find(({ deviceId }) => deviceId === id) ?? null)}
        error={error}
        onReload={reload}
      />
    );
  return (
    <>
      <header class="view-head">
        <h1>Devices</h1>
        {devices.length > 0 && (
          <p class="muted small">
            {devices.filter(({ status }) => status !== 'offline').length} of {devices.length} online
          </p>
        )}
      </header>
      {error && <Trouble what="The boards could not be listed" why={error.message} onRetry={reload} />}
      {answer === null && error === null && <Progress label="Loading the boards" />}
      {answer !== null && devices.length === 0 && (
        <Empty icon="devices" title="No board is known yet">
          <p>
            A board is listed once it has registered, sent a heartbeat, a frame or a measurement. The address
            for boards is <code>{location.origin}</code>.
          </p>
        </Empty>
      )}
      {devices.length > 0 && <DeviceTable devices={devices} />}
    </>
  );
}

function DeviceTable({ devices }: { devices: readonly DeviceRecord[] }) {
  return (
    <div class="card table-card">
      <table class="stacking">
        <thead>
          <tr>
            <th scope="col">Board</th>
            <th scope="col">State</th>
            <th scope="col">Last heard</th>
            <th scope="col">Signal</th>
            <th scope="col" class="number">
              Free memory
            </th>
            <th scope="col" class="number">
              Running for
            </th>
            <th scope="col" class="number">
              Refused
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr key={device.deviceId}>
              <th scope="row">
                <a href={linkTo('devices', device.deviceId)}>{device.name}</a>
                {device.name !== device.deviceId && <span class="muted small mono"> {device.deviceId}</span>}
              </th>
              <td data-name="State">
                <StateBadge state={device.status} />
              </td>
              <td data-name="Last heard">
                <Age at={device.lastSeen} />
              </td>
              <td data-name="Signal">
                <Signal dbm={device.wifiRssi} />
              </td>
              <td data-name="Free memory" class="number">
                {memoryWords(device.freeHeap)}
              </td>
              <td data-name="Running for" class="number">
                {device.uptime > 0 ? durationWords(device.uptime) : 'not told'}
              </td>
              <td data-name="Refused" class={`number ${device.errorCount > 0 ? 'warn-text' : ''}`}>
                {device.errorCount}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
