/**
 * The boards that this server knows. Their state is in memory and in the database; who registers, beats or commands is answered only
 * once it is stored. Silence is measured by a clock that cannot jump, and the server's own pauses are not counted as a board's.
 */
import { ServerError } from '../errors.ts';
import { CommandQueue, type HandedOut } from './command-queue.ts';
import {
  type Clocks,
  Device,
  type DeviceView,
  type HeartbeatReport,
  type Registration,
  systemClocks,
  unregistered,
} from './device.ts';
import type { DeviceStore } from './device-store.ts';
import { GroupCommit } from './group-commit.ts';

export interface RegistryOptions {
  readonly store: DeviceStore;
  readonly offlineAfterS: number;
  readonly maxDevices: number;
  readonly clocks?: Clocks;
  /** Told where the status of a device has become another. */
  readonly onStatus?: (device: DeviceView) => void;
  readonly onDrop?: (reason: DeviceDrop) => void;
  /** Told where what needs no answer could not be stored; it is tried again. */
  readonly onStoreFailure?: (error: unknown) => void;
}

/**
 * - `devices_full`: one more board than may be known
 * - `devices_evicted`: an old one that made room
 * - `commands_full`: a command more than may wait for one board
 * - `writes_full`: too many wait for the database
 */
export type DeviceDrop = 'devices_full' | 'devices_evicted' | 'commands_full' | 'writes_full';

export interface DeviceCounts {
  readonly total: number;
  /** Heard from lately. */
  readonly online: number;
  readonly commandsSent: number;
  readonly commandsFailed: number;
}

export type Registry = Awaited<ReturnType<typeof openRegistry>>;

/** A registered board gives way to a new one only after so long a silence; an unregistered one at any time. */
const EVICTABLE_AFTER_MS = 30 * 24 * 3600 * 1000;
const STORE_HEARD_AFTER_MS = 30_000;
const RETRY_AFTER_S = 60;

/** Opens the registry with what an earlier run stored. Close it before the database. */
export async function openRegistry(options: RegistryOptions) {
  const { store, maxDevices, clocks = systemClocks, onStoreFailure } = options;
  const offlineAfterMs = options.offlineAfterS * 1000;
  const loaded = await store.load();
  const devices = new Map<string, Device>();
  for (const record of loaded.devices) devices.set(record.deviceId, restored(record, clocks, offlineAfterMs));
  const commands = new CommandQueue({
    store,
    waiting: loaded.commands,
    totals: loaded.totals,
    onRefused: () => options.onDrop?.('commands_full'),
    onStoreFailure,
  });

  const changed = new Set<string>();
  const removed = new Set<string>();
  const writes = new GroupCommit<null>({
    write: saveChanged,
    limit: maxDevices,
    onRefused: () => options.onDrop?.('writes_full'),
  });

  const sweepEveryMs = Math.min(5000, offlineAfterMs / 4);
  let sweptMs = clocks.monotonicMs();
  const timer = setInterval(sweep, sweepEveryMs);
  timer.unref();

  async function saveChanged(): Promise<void> {
    const saved = [...changed].flatMap((id) => devices.get(id) ?? []);
    const removedIds = [...removed];
    changed.clear();
    removed.clear();
    try {
      await store.save(
        saved.map(({ record }) => record),
        removedIds,
      );
      for (const device of saved) device.storedMs = clocks.monotonicMs();
    } catch (error) {
      for (const { record } of saved) changed.add(record.deviceId);
      for (const id of removedIds) removed.add(id);
      throw error;
    }
  }

  /** Ends when the device, as it is now or newer, is in the database. */
  function stored(deviceId: string): Promise<void> {
    changed.add(deviceId);
    return writes.add(null);
  }

  function tellStatus(device: Device): void {
    if (device.status === device.toldStatus) return;
    device.toldStatus = device.status;
    options.onStatus?.(device.view);
  }

  function add(deviceId: string, ipAddress: string): Device {
    if (devices.size >= maxDevices) makeRoom();
    const device = new Device(unregistered(deviceId, ipAddress, clocks.wallMs()), clocks.monotonicMs());
    devices.set(deviceId, device);
    return device;
  }

  function makeRoom(): void {
    const evicted = leastMissed(devices.values(), clocks.monotonicMs());
    if (evicted === null) {
      options.onDrop?.('devices_full');
      throw devicesFull(maxDevices);
    }
    options.onDrop?.('devices_evicted');
    const { deviceId } = evicted.record;
    devices.delete(deviceId);
    changed.delete(deviceId);
    removed.add(deviceId);
    commands.drop(deviceId);
  }

  function sweep(): void {
    const nowMs = clocks.monotonicMs();
    const lateMs = nowMs - sweptMs - sweepEveryMs;
    sweptMs = nowMs;
    for (const device of devices.values()) {
      // The server itself stood still: signs of life may lie unread in its sockets.
      if (lateMs > sweepEveryMs) device.heardMs += lateMs;
      if (device.isOffline || nowMs - device.heardMs < offlineAfterMs) continue;
      device.isOffline = true;
      tellStatus(device);
    }
    if (changed.size > 0 || removed.size > 0)
      writes.add(null).catch((error: unknown) => onStoreFailure?.(error));
  }

  return {
    /** @throws {ServerError} 429 where no more boards can be known */
    async register(given: Registration): Promise<DeviceView> {
      const device = devices.get(given.deviceId) ?? add(given.deviceId, given.ipAddress);
      device.register(given, clocks);
      tellStatus(device);
      await stored(given.deviceId);
      return device.view;
    },

    /**
     * A heartbeat, of an unknown board too.
     * @returns the commands that waited, each of them only this once
     * @throws {ServerError} 429 where no more boards can be known
     */
    async heartbeat(deviceId: string, report: HeartbeatReport, ipAddress: string): Promise<HandedOut> {
      const device = devices.get(deviceId) ?? add(deviceId, ipAddress);
      device.heartbeat(report, ipAddress, clocks);
      tellStatus(device);
      await stored(deviceId);
      return commands.handOut(deviceId);
    },

    /**
     * A sign of life that is no heartbeat: a frame, a measurement. Boards send many, so it is written now and then only; where the
     * registry is full, a new board is ignored.
     */
    heard(deviceId: string, ipAddress: string): void {
      let device = devices.get(deviceId);
      if (device === undefined) {
        try {
          device = add(deviceId, ipAddress);
        } catch {
          return;
        }
      }
      device.heard(clocks);
      tellStatus(device);
      if (device.storedMs === null || clocks.monotonicMs() - device.storedMs > STORE_HEARD_AFTER_MS)
        changed.add(deviceId);
    },

    /** Something that a known board sent was refused, or failed here. */
    noteError(deviceId: string, message: string): void {
      const device = devices.get(deviceId);
      if (device === undefined) return;
      device.noteError(message);
      changed.add(deviceId);
    },

    /**
     * Queues a command for the device's next heartbeat.
     * @returns the device, or null where it is unknown
     * @throws {ServerError} 429 where too many wait for it already
     */
    async command(deviceId: string, command: string, params: unknown): Promise<DeviceView | null> {
      const device = devices.get(deviceId);
      if (device === undefined) {
        commands.countFailed(1);
        return null;
      }
      // A board that was only heard may not be in the database yet.
      if (device.storedMs === null) await stored(deviceId);
      if (!(await commands.add(deviceId, command, params, clocks.wallMs()))) return null;
      if (command === 'restart') {
        device.beginMaintenance(clocks);
        tellStatus(device);
        await stored(deviceId);
      }
      return device.view;
    },

    get(deviceId: string): DeviceView | null {
      return devices.get(deviceId)?.view ?? null;
    },

    /** By id. */
    list(): DeviceView[] {
      return [...devices.values()]
        .map((device) => device.view)
        .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
    },

    counts(): DeviceCounts {
      let online = 0;
      for (const device of devices.values()) if (!device.isOffline) online++;
      const { sent, failed } = commands.totals;
      return { total: devices.size, online, commandsSent: sent, commandsFailed: failed };
    },

    /** Marks who is silent; runs by itself, and is here for tests. */
    sweep,

    /** Stores what is not stored yet. */
    async close(): Promise<void> {
      clearInterval(timer);
      if (changed.size > 0 || removed.size > 0) await writes.add(null);
      await Promise.all([writes.settle(), commands.settle()]);
    },
  };
}

function restored(record: Device['record'], clocks: Clocks, offlineAfterMs: number): Device {
  // A last sign of life that lies in the future was written by a clock that has been put back since.
  const silentMs = Math.max(0, clocks.wallMs() - (record.maintenanceSinceMs ?? record.lastSeenMs));
  const device = new Device(record, clocks.monotonicMs() - silentMs);
  device.isOffline = silentMs >= offlineAfterMs;
  device.toldStatus = device.status;
  device.storedMs = clocks.monotonicMs();
  return device;
}

/** The unregistered board that has been silent longest, else a registered one that nobody has heard of for a month, else null. */
function leastMissed(devices: Iterable<Device>, nowMs: number): Device | null {
  let oldest: Device | null = null;
  for (const device of devices) {
    const { registered } = device.record;
    if (registered && nowMs - device.heardMs < EVICTABLE_AFTER_MS) continue;
    const isBetter =
      oldest === null ||
      (oldest.record.registered && !registered) ||
      (oldest.record.registered === registered && device.heardMs < oldest.heardMs);
    if (isBetter) oldest = device;
  }
  return oldest;
}

const devicesFull = (maxDevices: number) =>
  new ServerError(429, 'DEVICES_FULL', `${maxDevices} devices are known already; no more are taken`, {
    retryAfterS: RETRY_AFTER_S,
  });
