/** Boards: registered, heard, listed, commanded. */
import Type from 'typebox';
import type { DeviceView } from '../../devices/device.ts';
import { checkDeviceId, isPrintable } from '../../devices/device-id.ts';
import type { Registry } from '../../devices/registry.ts';
import { invalidField, notFound } from '../../errors.ts';
import type { Message } from '../../live/messages.ts';
import type { Log } from '../../log.ts';
import type { BodyReader } from '../body.ts';
import { readFields, readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { validate } from '../validate.ts';

export interface DeviceDependencies {
  readonly registry: Registry;
  readonly bodies: BodyReader;
  readonly publish: (message: Message) => void;
  readonly log: Log;
}

const MAX_NAME_CHARACTERS = 128;
const text = (maximum: number) =>
  Type.String({ minLength: 1, maxLength: maximum, expected: `1 to ${maximum} printable characters` });
const number = () => Type.Number({ expected: 'a number' });

const Registration = Type.Object({
  deviceId: Type.String({ expected: 'the id of the device' }),
  deviceName: text(MAX_NAME_CHARACTERS),
  deviceType: Type.Optional(text(64)),
  ipAddress: Type.Optional(text(64)),
  capabilities: Type.Optional(
    Type.Array(text(64), { maxItems: 64, expected: 'an array of at most 64 texts' }),
  ),
});

const Heartbeat = Type.Object({
  deviceId: Type.String({ expected: 'the id of the device' }),
  uptime: Type.Optional(number()),
  freeHeap: Type.Optional(number()),
  wifiRssi: Type.Optional(number()),
  status: Type.Optional(text(32)),
});

const Command = Type.Object({ command: text(64) });

export function deviceRoutes({ registry, bodies, publish, log }: DeviceDependencies): Route[] {
  async function register(ctx: Context): Promise<void> {
    const given = validate(Registration, await readFields(ctx, bodies, Registration));
    const { deviceName, deviceType = 'camera', ipAddress = ctx.ip, capabilities = [] } = given;
    const device = await registry.register({
      deviceId: checkDeviceId(given.deviceId),
      name: checkText('deviceName', deviceName),
      type: checkText('deviceType', deviceType),
      ipAddress: checkText('ipAddress', ipAddress),
      capabilities: capabilities.map((name, i) => checkText(`capabilities.${i}`, name)),
    });
    const presented = presentDevice(device);
    ctx.body = { success: true, message: 'Device registered', ...presented, device: presented };
  }

  async function heartbeat(ctx: Context): Promise<void> {
    const { deviceId, ...report } = validate(Heartbeat, await readFields(ctx, bodies, Heartbeat));
    const id = checkDeviceId(deviceId);
    if (report.status !== undefined) checkText('status', report.status);
    const { commands, giveBack } = await registry.heartbeat(id, report, ctx.ip);
    if (commands.length > 0) onceUndelivered(ctx, () => returnCommands(id, giveBack));
    ctx.body = {
      success: true,
      message: 'Heartbeat received',
      status: 'success',
      commands: commands.map(({ id: commandId, command, params, createdMs }) => ({
        id: commandId,
        command,
        params,
        timestamp: createdMs,
      })),
    };
  }

  function returnCommands(deviceId: string, giveBack: () => Promise<void>): void {
    giveBack().catch((error: unknown) => log.warn({ err: error, deviceId }, 'commands were lost'));
  }

  function list(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, devices: registry.list().map(presentDevice) };
  }

  async function command(ctx: Context): Promise<void> {
    const deviceId = String(ctx.params.deviceId);
    const body = await readJsonObject(ctx, bodies);
    const name = checkText('command', validate(Command, body).command);
    const params = body.params ?? {};
    const device = await registry.command(deviceId, name, params);
    if (device === null) throw notFound(`the device ${JSON.stringify(deviceId.slice(0, 128))}`);
    publish({ type: 'command', deviceId, command: name, params, timestamp: Date.now() });
    ctx.body = {
      success: true,
      message: `Command ${name} waits for the next heartbeat of ${deviceId}`,
      deviceStatus: device.status,
    };
  }

  return [
    { method: 'POST', path: '/api/v1/devices/register', access: 'board', handle: register },
    { method: 'POST', path: '/api/v1/devices/heartbeat', access: 'board', frequent: true, handle: heartbeat },
    { method: 'GET', path: '/api/v1/devices', access: 'key', frequent: true, handle: list },
    { method: 'POST', path: '/api/v1/devices/:deviceId/command', access: 'key', handle: command },
  ];
}

/** Calls where the board hangs up before the answer is on its way; it may have done so already. */
function onceUndelivered({ res }: Context, call: () => void): void {
  if (res.destroyed) call();
  else
    res.once('close', () => {
      if (!res.writableFinished) call();
    });
}

/** In the words of both older services. */
function presentDevice(device: DeviceView) {
  return {
    id: device.deviceId,
    deviceId: device.deviceId,
    name: device.name,
    deviceName: device.name,
    type: device.type,
    deviceType: device.type,
    status: device.status,
    registered: device.registered,
    ipAddress: device.ipAddress,
    capabilities: device.capabilities,
    uptime: device.uptime,
    freeHeap: device.freeHeap,
    wifiRssi: device.wifiRssi,
    lastSeen: device.lastSeenMs,
    lastHeartbeat: device.lastHeartbeatMs,
    errors: device.errors,
    errorCount: device.errorCount,
  };
}

function checkText(field: string, given: string): string {
  const trimmed = given.trim();
  if (trimmed === '' || !isPrintable(trimmed)) throw invalidField(field, 'printable characters', given);
  return trimmed;
}
