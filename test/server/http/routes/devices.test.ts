import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DeviceServer, startDeviceServer } from '../../../support/device-server.ts';
import { exchange, sendAndDrop } from '../../../support/raw-http.ts';
import { DEVICE_KEY } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';

let server: DeviceServer;
before(async () => {
  server = await startDeviceServer();
});
after(() => server.dispose());

const REGISTER = '/api/v1/devices/register';
const HEARTBEAT = '/api/v1/devices/heartbeat';

async function jsonOf(response: Response, status = 200): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, status, JSON.stringify(body));
  return body;
}

async function refused(response: Response, status: number, why: RegExp): Promise<void> {
  const body = await jsonOf(response, status);
  assert.equal(body.success, false);
  assert.match(String(body.error), why);
  assert.equal(body.error, body.detail);
}

async function listed(deviceId: string): Promise<Record<string, unknown>> {
  const { devices } = (await jsonOf(await server.call('/api/v1/devices'))) as {
    devices: Record<string, unknown>[];
  };
  return devices.find((device) => device.deviceId === deviceId)!;
}

const given = {
  deviceId: 'esp32-1',
  deviceName: 'Door',
  ipAddress: '192.168.1.20',
  capabilities: ['stream'],
};

test('a board registers with JSON and gets its fields twice, at the top and under device', async () => {
  const answer = await jsonOf(await server.post(REGISTER, given));
  const { success, message: _, device, ...top } = answer;
  assert.equal(success, true);
  assert.deepEqual(top, device);
  const { lastSeen, lastHeartbeat, ...rest } = top;
  assert.ok(Math.abs(Number(lastSeen) - Date.now()) < 5000);
  assert.equal(lastHeartbeat, lastSeen);
  assert.deepEqual(rest, {
    id: 'esp32-1',
    deviceId: 'esp32-1',
    name: 'Door',
    deviceName: 'Door',
    type: 'camera',
    deviceType: 'camera',
    status: 'online',
    registered: true,
    ipAddress: '192.168.1.20',
    capabilities: ['stream'],
    uptime: 0,
    freeHeap: 0,
    wifiRssi: null,
    errors: [],
    errorCount: 0,
  });
});

test('a board registers with a urlencoded form', async () => {
  const body = new URLSearchParams([
    ['deviceId', 'form-1'],
    ['deviceName', 'Tür & Tor'],
    ['capabilities[]', 'a'],
    ['capabilities[]', 'b'],
  ]);
  const answer = await jsonOf(await server.call(REGISTER, { method: 'POST', body, key: null }));
  assert.equal(answer.name, 'Tür & Tor');
  assert.deepEqual(answer.capabilities, ['a', 'b']);
  assert.equal(answer.ipAddress, '127.0.0.1');
});

test('a board registers with a multipart form, as the recogniser of before took it', async () => {
  const body = new FormData();
  body.set('deviceId', 'form-2');
  body.set('deviceName', 'Gate');
  body.set('deviceType', 'doorbell');
  body.set('capabilities', '["stream", "flash"]');
  const answer = await jsonOf(await server.call(REGISTER, { method: 'POST', body, key: null }));
  assert.equal(answer.type, 'doorbell');
  assert.deepEqual(answer.capabilities, ['stream', 'flash']);
});

test('a board may leave the content type of its JSON out', async () => {
  const body = JSON.stringify({ deviceId: 'bare', deviceName: 'Bare' });
  const answer = await exchange(server.port, [
    `POST ${REGISTER} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ]);
  assert.equal(answer.status, 200);
});

test('registering again updates', async () => {
  await server.post(REGISTER, { ...given, deviceId: 'twice' });
  await server.post(HEARTBEAT, { deviceId: 'twice', uptime: 99, freeHeap: 1000 });
  await server.post(REGISTER, { ...given, deviceId: 'twice', deviceName: 'New name', capabilities: [] });
  const device = await listed('twice');
  assert.deepEqual(
    [device.name, device.capabilities, device.uptime, device.freeHeap],
    ['New name', [], 0, 0],
  );
});

test('a registration that is not one is refused, and says of which field', async () => {
  const cases: [unknown, RegExp][] = [
    [{ deviceName: 'x' }, /deviceId: expected .* received nothing/],
    [{ deviceId: 'x' }, /deviceName: expected .* received nothing/],
    [{ deviceId: '', deviceName: 'x' }, /deviceId: expected 1 to 128/],
    [{ deviceId: 7, deviceName: 'x' }, /deviceId: expected .* received 7/],
    [{ deviceId: null, deviceName: 'x' }, /deviceId: expected .* received null/],
    [{ deviceId: 'x', deviceName: ['x'] }, /deviceName: expected .* received an array/],
    [{ deviceId: 'x', deviceName: 'x', capabilities: 'stream' }, /capabilities: expected an array/],
    [{ deviceId: 'x', deviceName: 'x', capabilities: ['a', 1] }, /capabilities\.1: expected/],
    [
      { deviceId: 'x', deviceName: 'x', capabilities: ['a\n'.repeat(2)] },
      /capabilities\.0: expected printable/,
    ],
    [{ deviceId: 'a\u0000b', deviceName: 'x' }, /deviceId: expected 1 to 128 printable/],
    [{ deviceId: '\ud800', deviceName: 'x' }, /deviceId: expected/],
    [{ deviceId: 'x'.repeat(129), deviceName: 'x' }, /deviceId: expected/],
    [{ deviceId: 'x', deviceName: 'x'.repeat(129) }, /deviceName: expected/],
    [[], /body: expected a JSON object, received an array/],
    ['text', /body: expected a JSON object/],
    [null, /body: expected a JSON object/],
  ];
  for (const [body, why] of cases) await refused(await server.post(REGISTER, body), 400, why);
});

test('what is no JSON, no UTF-8, too deep, too large or of another type is refused', async () => {
  const send = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
    server.call(REGISTER, { method: 'POST', body, headers: { 'Content-Type': type }, key: null });
  await refused(await send('{"deviceId":'), 400, /not JSON/);
  await refused(await send(''), 400, /expected a JSON object, received nothing/);
  await refused(await send(new Uint8Array([0x22, 0xff, 0x22])), 400, /not valid UTF-8/);
  await refused(await send(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`), 400, /nested deeper/);
  await refused(await send(`"${'x'.repeat(70_000)}"`), 413, /larger than the limit/);
  await refused(await send('<xml/>', 'application/xml'), 415, /Content-Type: expected/);
});

test('fields that an object has of itself are no fields of a request', async () => {
  const body = '{"__proto__":{"deviceName":"x"},"constructor":1,"deviceId":"proto","deviceName":"y"}';
  const answer = await jsonOf(
    await server.call(REGISTER, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
      key: null,
    }),
  );
  assert.equal(answer.name, 'y');
});

test('a heartbeat of a known board updates it; unknown fields and nulls are ignored', async () => {
  await server.post(REGISTER, { ...given, deviceId: 'beating' });
  const report = {
    deviceId: 'beating',
    uptime: 12_345,
    freeHeap: 150_000,
    wifiRssi: -67,
    extra: {},
    status: null,
  };
  const answer = await jsonOf(await server.post(HEARTBEAT, report));
  assert.equal(answer.message, 'Heartbeat received');
  assert.equal(answer.status, 'success');
  assert.deepEqual(answer.commands, []);
  const device = await listed('beating');
  assert.deepEqual(
    [device.status, device.uptime, device.freeHeap, device.wifiRssi],
    ['online', 12_345, 150_000, -67],
  );
});

test('a heartbeat of an unknown board is taken, and the board listed as unregistered', async () => {
  const answer = await jsonOf(await server.post(HEARTBEAT, { deviceId: 'stray' }));
  assert.equal(answer.message, 'Heartbeat received');
  const device = await listed('stray');
  assert.deepEqual([device.status, device.registered], ['unregistered', false]);
});

test('a heartbeat without an id or with a wrong type is refused', async () => {
  await refused(await server.post(HEARTBEAT, {}), 400, /deviceId/);
  await refused(
    await server.post(HEARTBEAT, { deviceId: 'x', uptime: '5' }),
    400,
    /uptime: expected a number/,
  );
  const body = new URLSearchParams({ deviceId: 'form-beat', uptime: '5.5', wifiRssi: '-50' });
  await jsonOf(await server.call(HEARTBEAT, { method: 'POST', body, key: null }));
  assert.equal((await listed('form-beat')).uptime, 5.5);
});

test('a command waits for the next heartbeat and is handed out once', async () => {
  await server.post(REGISTER, { ...given, deviceId: 'commanded' });
  const path = '/api/v1/devices/commanded/command';
  const body = { command: 'snapshot', params: { flash: true } };
  const answer = await jsonOf(await server.post(path, body, 'test-key-0123456789abcdef'));
  assert.deepEqual([answer.success, answer.deviceStatus], [true, 'online']);
  const first = (await jsonOf(await server.post(HEARTBEAT, { deviceId: 'commanded' }))) as {
    commands: Record<string, unknown>[];
  };
  assert.deepEqual(
    first.commands.map(({ command, params }) => ({ command, params })),
    [body],
  );
  const second = await jsonOf(await server.post(HEARTBEAT, { deviceId: 'commanded' }));
  assert.deepEqual(second.commands, []);
});

test('a board that hangs up before it has its commands gets them with the next heartbeat', {
  timeout: 20_000,
}, async () => {
  await server.post(REGISTER, { ...given, deviceId: 'dropper' });
  await server.registry.command('dropper', 'ping', {});
  const body = JSON.stringify({ deviceId: 'dropper' });
  // The one connection of the database is held, so that the answer waits until the board has gone.
  await server.database.transaction(async () => {
    await sendAndDrop(
      server.port,
      `POST ${HEARTBEAT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(async () => {
      const { values } = await server.metrics.requestSeconds.get();
      return values.some(({ labels }) => labels.status === 499);
    });
  });
  await until(async () => {
    const { commands } = await jsonOf(await server.post(HEARTBEAT, { deviceId: 'dropper' }));
    return (commands as unknown[]).length === 1;
  });
});

test('a restart shows maintenance until the next heartbeat', async () => {
  await server.post(REGISTER, { ...given, deviceId: 'restarted' });
  const path = '/api/v1/devices/restarted/command';
  const answer = await jsonOf(await server.post(path, { command: 'restart' }, 'test-key-0123456789abcdef'));
  assert.equal(answer.deviceStatus, 'maintenance');
  assert.equal((await listed('restarted')).status, 'maintenance');
  await server.post(HEARTBEAT, { deviceId: 'restarted' });
  assert.equal((await listed('restarted')).status, 'online');
});

test('a command for an unknown device is 404, one that is none 400', async () => {
  const command = (id: string, body: unknown) =>
    server.post(`/api/v1/devices/${id}/command`, body, 'test-key-0123456789abcdef');
  await refused(await command('nobody', { command: 'ping' }), 404, /nobody/);
  await refused(await command('..%2F..%2Fetc', { command: 'ping' }), 404, /etc/);
  await refused(await command('esp32-1', {}), 400, /command: expected/);
  await refused(await command('esp32-1', { command: 'x'.repeat(65) }), 400, /command: expected/);
});

test('what boards send is open, what dashboards ask needs the key, and the device key opens nothing more', async () => {
  for (const key of [null, DEVICE_KEY, 'wrong']) {
    await refused(await server.call('/api/v1/devices', { key }), 401, /API key/);
    await refused(await server.call('/api/v1/system/status', { key }), 401, /API key/);
    await refused(
      await server.post('/api/v1/devices/esp32-1/command', { command: 'ping' }, key),
      401,
      /API key/,
    );
  }
});

test('the status of the system is measured', async () => {
  const { status } = (await jsonOf(await server.call('/api/v1/system/status'))) as {
    status: Record<string, unknown>;
  };
  const { total, online, commandsSent, commandsFailed } = server.registry.counts();
  assert.deepEqual(Object.keys(status), [
    'devicesOnline',
    'devicesTotal',
    'systemUptime',
    'totalCommandsSent',
    'totalCommandsFailed',
    'backendConnected',
    'lastBackendSync',
    'systemLoad',
  ]);
  assert.deepEqual(
    [status.devicesTotal, status.devicesOnline, status.totalCommandsSent, status.totalCommandsFailed],
    [total, online, commandsSent, commandsFailed],
  );
  assert.ok(total > 5 && commandsSent >= 3 && commandsFailed >= 2);
  assert.ok(Number(status.systemLoad) >= 0 && Number(status.systemLoad) <= 1);
  assert.equal(status.lastBackendSync, null);
});
