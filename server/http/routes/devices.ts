/** Boards: registered, heard, listed, commanded. */
import type { DeviceView } from '../../devices/device.ts';
import { checkDeviceId, isPrintable } from '../../devices/device-id.ts';
import type { Registry } from '../../devices/registry.ts';
import { invalidField, notFound } from '../../errors.ts';
import type { Message } from '../../live/messages.ts';
import type { Log } from '../../log.ts';
import type { BodyReader } from '../body.ts';
import {
  Command,
  commandDescription,
  DevicePath,
  Heartbeat,
  heartbeatDescription,
  listDevicesDescription,
  Registration,
  registerDescription,
} from '../descriptions/boards.ts';
import { readFields, readJsonObject } from '../read-fields.ts';
import { readPath } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { validate } from '../validate.ts';

export interface DeviceDependencies {
  readonly registry: Registry;
  readonly bodies: BodyReader;
  readonly publish: (message: Message) => void;
  readonly log: Log;
}

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
    const { deviceId } = readPath(ctx, DevicePath);
    const body = validate(Command, await readJsonObject(ctx, bodies));
    const name = checkText('command', body.command);
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

  const path = '/api/v1/devices';
  const sent = { method: 'POST', access: 'board' } as const;
  return [
    { ...sent, path: `${path}/register`, description: registerDescription, handle: register },
    {
      ...sent,
      path: `${path}/heartbeat`,
      frequent: true,
      description: heartbeatDescription,
      handle: heartbeat,
    },
    {
      method: 'GET',
      path,
      access: 'key',
      frequent: true,
      description: listDevicesDescription,
      handle: list,
    },
    {
      method: 'POST',
      path: `${path}/:deviceId/command`,
      access: 'key',
      description: commandDescription,
      handle: command,
    },
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
