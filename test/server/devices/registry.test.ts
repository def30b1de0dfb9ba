import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { MAX_COMMANDS_PER_DEVICE } from '../../../server/devices/command-queue.ts';
import type { DeviceView, Registration } from '../../../server/devices/device.ts';
import { openRegistry, type Registry, type RegistryOptions } from '../../../server/devices/registry.ts';
import { createDeviceStore } from '../../../server/store/devices.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let own: TestDatabase;
before(async () => {
  own = await openTestDatabase();
});
after(() => own.close());

/** Both clocks in the hands of the test. */
const clock = { monotonic: 0, wall: 0 };
const clocks = { monotonicMs: () => clock.monotonic, wallMs: () => clock.wall };
const pass = (ms: number) => {
  clock.monotonic += ms;
  clock.wall += ms;
};

const opened: Registry[] = [];
let told: string[] = [];
beforeEach(async () => {
  clock.monotonic = 1000;
  clock.wall = Date.UTC(2026, 0, 1);
  told = [];
  await own.reset();
});
afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close();
});

async function open(options: Partial<RegistryOptions> = {}): Promise<Registry> {
  const registry = await openRegistry({
    store: createDeviceStore(own.database),
    offlineAfterS: 60,
    maxDevices: 100,
    clocks,
    onStatus: (device: DeviceView) => told.push(`${device.deviceId} ${device.status}`),
    ...options,
  });
  opened.push(registry);
  return registry;
}

const board = (deviceId: string, given: Partial<Registration> = {}): Registration => ({
  deviceId,
  name: `Board ${deviceId}`,
  type: 'camera',
  ipAddress: '10.0.0.7',
  capabilities: ['stream', 'flash'],
  ...given,
});

/** Sweeps as the timer would, without its waiting. */
function passSwept(registry: Registry, ms: number): void {
  for (let left = ms; left > 0; left -= 5000) {
    pass(Math.min(5000, left));
    registry.sweep();
  }
}

test('a registration, a heartbeat and the commands that wait survive a restart', async () => {
  const first = await open();
  await first.register(board('cam'));
  await first.heartbeat(
    'cam',
    { uptime: 12.5, freeHeap: 1e5, wifiRssi: -61, status: 'streaming' },
    '10.0.0.7',
  );
  await first.heartbeat('stray', {}, '10.0.0.8');
  await first.command('cam', 'snapshot', { flash: true, text: 'a "quoted" \u0000 text' });
  const before = first.list();
  const again = await open();
  assert.deepEqual(again.list(), before);
  assert.equal(again.get('cam')!.status, 'streaming');
  assert.equal(again.get('stray')!.status, 'unregistered');
  const { commands } = await again.heartbeat('cam', {}, '10.0.0.7');
  assert.deepEqual(
    commands.map(({ command, params }) => [command, params]),
    [['snapshot', { flash: true, text: 'a "quoted" \u0000 text' }]],
  );
});

test('what was acknowledged is in the database, without an orderly end', async () => {
  const registry = await open();
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => registry.heartbeat(`board-${i}`, { uptime: i }, '::1')),
  );
  const { rows } = await own.database.read<{ count: number }>('SELECT count(*)::int AS count FROM devices');
  assert.equal(rows[0]!.count, 50);
});

test('a silent device is offline after its time, and back with its next sign of life', async () => {
  const registry = await open();
  await registry.register(board('cam'));
  passSwept(registry, 55_000);
  assert.equal(registry.get('cam')!.status, 'online');
  passSwept(registry, 5000);
  assert.equal(registry.get('cam')!.status, 'offline');
  assert.equal(registry.counts().online, 0);
  registry.heard('cam', '10.0.0.7');
  assert.equal(registry.get('cam')!.status, 'online');
  assert.deepEqual(told, ['cam online', 'cam offline', 'cam online']);
});

test('a clock that is put back or forward makes nobody offline', async () => {
  const registry = await open();
  await registry.register(board('cam'));
  for (const jumpMs of [-3_600_000, 7_200_000, -86_400_000 * 365]) {
    clock.wall += jumpMs;
    passSwept(registry, 10_000);
    assert.equal(registry.get('cam')!.status, 'online');
  }
  const again = await open();
  assert.equal(again.get('cam')!.status, 'online', 'its last sign of life lies in the future');
  passSwept(again, 60_000);
  assert.equal(again.get('cam')!.status, 'offline');
});

test('a pause of the server itself is not the silence of its boards', async () => {
  const registry = await open();
  await registry.register(board('cam'));
  passSwept(registry, 20_000);
  pass(600_000);
  registry.sweep();
  assert.equal(registry.get('cam')!.status, 'online');
  passSwept(registry, 40_000);
  assert.equal(registry.get('cam')!.status, 'offline');
});

test('after a restart of the server, silence counts from the last sign of life', async () => {
  await (await open()).register(board('cam'));
  pass(50_000);
  const again = await open();
  assert.equal(again.get('cam')!.status, 'online');
  passSwept(again, 10_000);
  assert.equal(again.get('cam')!.status, 'offline');
  assert.equal((await open()).get('cam')!.status, 'offline');
});

test('a restart shows maintenance until the next heartbeat, and offline where none comes', async () => {
  const registry = await open();
  await registry.register(board('cam'));
  assert.equal((await registry.command('cam', 'restart', {}))!.status, 'maintenance');
  registry.heard('cam', '10.0.0.7');
  assert.equal(registry.get('cam')!.status, 'maintenance');
  assert.equal((await open()).get('cam')!.status, 'maintenance');
  await registry.heartbeat('cam', {}, '10.0.0.7');
  assert.equal(registry.get('cam')!.status, 'online');
  await registry.command('cam', 'restart', {});
  passSwept(registry, 60_000);
  assert.equal(registry.get('cam')!.status, 'offline');
});

test('a command is handed out once, to its device, in the order of the commands', async () => {
  const registry = await open();
  for (const id of ['a', 'b']) await registry.register(board(id));
  for (const command of ['ping', 'snapshot', 'whatever']) await registry.command('a', command, null);
  assert.deepEqual((await registry.heartbeat('b', {}, '::1')).commands, []);
  const answers = await Promise.all([registry.heartbeat('a', {}, '::1'), registry.heartbeat('a', {}, '::1')]);
  assert.deepEqual(
    answers.flatMap(({ commands }) => commands.map(({ command }) => command)),
    ['ping', 'snapshot', 'whatever'],
  );
  assert.deepEqual((await (await open()).heartbeat('a', {}, '::1')).commands, []);
  assert.deepEqual(registry.counts(), { total: 2, online: 2, commandsSent: 3, commandsFailed: 0 });
});

test('commands of an answer that was not delivered wait again', async () => {
  const registry = await open();
  await registry.register(board('a'));
  await registry.command('a', 'ping', { n: 1 });
  const lost = await registry.heartbeat('a', {}, '::1');
  await lost.giveBack();
  assert.equal(registry.counts().commandsSent, 0);
  const again = await open();
  assert.equal((await again.heartbeat('a', {}, '::1')).commands.length, 1);
  assert.equal(again.counts().commandsSent, 1);
});

test('commands for an unknown device, and more than may wait, are refused and counted, across restarts', async () => {
  const drops: string[] = [];
  const registry = await open({ onDrop: (reason) => drops.push(reason) });
  assert.equal(await registry.command('nobody', 'ping', {}), null);
  await registry.register(board('a'));
  for (let i = 0; i < MAX_COMMANDS_PER_DEVICE; i++) await registry.command('a', 'ping', {});
  await assert.rejects(registry.command('a', 'ping', {}), { status: 429, code: 'COMMANDS_FULL' });
  assert.deepEqual(drops, ['commands_full']);
  assert.equal(registry.counts().commandsFailed, 2);
  await registry.close();
  assert.equal((await open()).counts().commandsFailed, 2);
});

test('a board that was only heard can be commanded', async () => {
  const registry = await open();
  registry.heard('stray', '10.0.0.9');
  assert.equal((await registry.command('stray', 'ping', {}))!.status, 'unregistered');
  assert.equal((await registry.heartbeat('stray', {}, '10.0.0.9')).commands.length, 1);
});

test('where the registry is full, the unregistered board that was silent longest makes room, and no registered one', async () => {
  const drops: string[] = [];
  const registry = await open({ maxDevices: 3, onDrop: (reason) => drops.push(reason) });
  await registry.register(board('kept'));
  await registry.heartbeat('old', {}, '::1');
  await registry.command('old', 'ping', {});
  pass(1000);
  await registry.heartbeat('newer', {}, '::1');
  await registry.register(board('fresh'));
  assert.deepEqual(
    registry.list().map(({ deviceId }) => deviceId),
    ['fresh', 'kept', 'newer'],
  );
  assert.equal(registry.counts().commandsFailed, 1);
  await registry.register(board('newer'));
  await assert.rejects(registry.register(board('one more')), { status: 429, code: 'DEVICES_FULL' });
  registry.heard('one more', '::1');
  assert.deepEqual(drops, ['devices_evicted', 'devices_full', 'devices_full']);
  assert.deepEqual(
    (await open()).list().map(({ deviceId }) => deviceId),
    ['fresh', 'kept', 'newer'],
  );
  pass(31 * 24 * 3600 * 1000);
  await registry.register(board('one more'));
  assert.equal(registry.counts().total, 3);
});

test('a device that made room and came back has none of its old commands', async () => {
  const registry = await open({ maxDevices: 1 });
  await registry.heartbeat('a', {}, '::1');
  await registry.command('a', 'ping', {});
  await registry.heartbeat('b', {}, '::1');
  await registry.heartbeat('a', {}, '::1');
  assert.deepEqual((await (await open()).heartbeat('a', {}, '::1')).commands, []);
});

test('ten thousand boards register, beat and are loaded again', async () => {
  const registry = await open({ maxDevices: 10_000 });
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => registry.register(board(`board-${i}`))));
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => registry.heartbeat(`board-${i}`, {}, '::1')));
  assert.equal(registry.counts().online, 10_000);
  assert.equal((await open({ maxDevices: 10_000 })).counts().total, 10_000);
  await assert.rejects(registry.register(board('one more')), { code: 'DEVICES_FULL' });
});

test('errors of a device are counted, and the last ones kept', async () => {
  const registry = await open();
  await registry.register(board('cam'));
  for (let i = 0; i < 15; i++) registry.noteError('cam', `frame ${i} refused`);
  registry.noteError('nobody', 'ignored');
  await registry.close();
  const { errorCount, errors } = (await open()).get('cam')!;
  assert.equal(errorCount, 15);
  assert.equal(errors.length, 10);
  assert.equal(errors.at(-1), 'frame 14 refused');
});

test('while the database fails, nothing is acknowledged; afterwards nothing is missing', async () => {
  const store = createDeviceStore(own.database);
  let broken = true;
  const registry = await open({
    store: {
      ...store,
      save: async (devices, removed) => {
        if (broken) throw new Error('down');
        await store.save(devices, removed);
      },
    },
  });
  await assert.rejects(registry.register(board('cam')), /down/);
  broken = false;
  await registry.heartbeat('other', {}, '::1');
  assert.deepEqual(
    (await open()).list().map(({ deviceId }) => deviceId),
    ['cam', 'other'],
  );
});
