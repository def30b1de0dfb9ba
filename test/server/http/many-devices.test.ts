import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DeviceServer, startDeviceServer } from '../../support/device-server.ts';

const MAX_DEVICES = 10_000;
const AT_A_TIME = 100;

let server: DeviceServer;
before(async () => {
  server = await startDeviceServer({ settings: { MAX_DEVICES } });
});
after(() => server?.dispose());

/** One after another in each of some lanes, as boards do that start together. */
async function eachDevice(work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < MAX_DEVICES) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

async function accepted(response: Response): Promise<void> {
  await response.arrayBuffer();
  assert.equal(response.status, 200);
}

test('ten thousand boards register, beat and are listed; one more is told that there is no room, and counted', {
  timeout: 180_000,
}, async () => {
  await eachDevice(async (i) =>
    accepted(
      await server.post('/api/v1/devices/register', { deviceId: `board ${i}`, deviceName: `Board ${i}` }),
    ),
  );
  await eachDevice(async (i) =>
    accepted(await server.post('/api/v1/devices/heartbeat', { deviceId: `board ${i}`, uptime: i })),
  );
  const { devices } = (await (await server.call('/api/v1/devices')).json()) as {
    devices: { id: string; uptime: number; status: string }[];
  };
  assert.equal(devices.length, MAX_DEVICES);
  assert.ok(devices.every(({ id, uptime, status }) => id === `board ${uptime}` && status === 'online'));

  const refused = await server.post('/api/v1/devices/register', { deviceId: 'one more', deviceName: 'x' });
  const { success, error } = (await refused.json()) as { success: boolean; error: string };
  assert.equal(success, false);
  assert.ok(refused.status >= 400 && refused.status < 600 && error.includes(String(MAX_DEVICES)), error);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  const { values } = await server.metrics.queueDrops.get();
  const full = values.find(({ labels }) => labels.queue === 'devices' && labels.reason === 'devices_full');
  assert.equal(full!.value, 1);
});
