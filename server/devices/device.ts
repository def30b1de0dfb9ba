/** One board: what it said, when it was last heard, whether it is silent. */
import type { DeviceRecord, QueuedCommand } from './device-store.ts';

export interface Registration {
  readonly deviceId: string;
  readonly name: string;
  readonly type: string;
  readonly ipAddress: string;
  readonly capabilities: readonly string[];
}

/** What a heartbeat tells; what is missing stays as it was. */
export interface HeartbeatReport {
  readonly uptime?: number;
  readonly freeHeap?: number;
  readonly wifiRssi?: number;
  readonly status?: string;
}

/** A clock that only goes forward, beside the one that shows the time of day and may jump. Both in milliseconds. */
export interface Clocks {
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
}

export const systemClocks: Clocks = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** As others see it. */
export interface DeviceView extends Omit<DeviceRecord, 'reportedStatus' | 'maintenanceSinceMs'> {
  /** `offline`, `maintenance`, `unregistered`, or what the board said of itself: `online` where it said nothing. */
  readonly status: string;
}

const KEPT_ERRORS = 10;
const MAX_ERROR_CHARACTERS = 200;

export class Device {
  record: DeviceRecord;
  /** Commands that wait for the next heartbeat, oldest first. */
  readonly commands: QueuedCommand[] = [];
  /** Monotonic: silence is measured from here. */
  heardMs: number;
  isOffline = false;
  /** The status that others were last told of; null before the first time. */
  toldStatus: string | null = null;
  /** Monotonic: when it was last written to the database; null where it is not there yet. */
  storedMs: number | null = null;

  constructor(record: DeviceRecord, heardMs: number) {
    this.record = record;
    this.heardMs = heardMs;
  }

  get status(): string {
    if (this.isOffline) return 'offline';
    if (this.record.maintenanceSinceMs !== null) return 'maintenance';
    return this.record.registered ? this.record.reportedStatus : 'unregistered';
  }

  get view(): DeviceView {
    const { reportedStatus: _reported, maintenanceSinceMs: _since, ...rest } = this.record;
    return { ...rest, status: this.status };
  }

  /** A sign of life: whatever the board does ends its silence. */
  heard(clocks: Clocks): void {
    this.heardMs = clocks.monotonicMs();
    this.isOffline = false;
    this.record = { ...this.record, lastSeenMs: clocks.wallMs() };
  }

  register(given: Registration, clocks: Clocks): void {
    this.heard(clocks);
    this.record = {
      ...this.record,
      ...given,
      registered: true,
      // A board registers when it has started: what it said before is over.
      reportedStatus: 'online',
      uptime: 0,
      freeHeap: 0,
      lastHeartbeatMs: this.record.lastSeenMs,
      maintenanceSinceMs: null,
    };
  }

  heartbeat(report: HeartbeatReport, ipAddress: string, clocks: Clocks): void {
    this.heard(clocks);
    const { record } = this;
    this.record = {
      ...record,
      ipAddress: record.registered ? record.ipAddress : ipAddress,
      reportedStatus: report.status ?? 'online',
      uptime: report.uptime ?? record.uptime,
      freeHeap: report.freeHeap ?? record.freeHeap,
      wifiRssi: report.wifiRssi ?? record.wifiRssi,
      lastHeartbeatMs: record.lastSeenMs,
      maintenanceSinceMs: null,
    };
  }

  /** A restart was ordered: the silence that follows is expected, for as long as any silence is. */
  beginMaintenance(clocks: Clocks): void {
    this.heardMs = clocks.monotonicMs();
    this.isOffline = false;
    this.record = { ...this.record, maintenanceSinceMs: clocks.wallMs() };
  }

  noteError(message: string): void {
    const errors = [...this.record.errors, printable(message.slice(0, MAX_ERROR_CHARACTERS))].slice(
      -KEPT_ERRORS,
    );
    this.record = { ...this.record, errors, errorCount: Math.min(this.record.errorCount + 1, 2 ** 31 - 1) };
  }
}

const printable = (text: string) => text.toWellFormed().replace(/\p{Cc}/gu, ' ');

/** A board that was heard but never registered. */
export function unregistered(deviceId: string, ipAddress: string, wallMs: number): DeviceRecord {
  return {
    deviceId,
    name: deviceId,
    type: 'unknown',
    ipAddress,
    capabilities: [],
    registered: false,
    reportedStatus: 'online',
    uptime: 0,
    freeHeap: 0,
    wifiRssi: null,
    errorCount: 0,
    errors: [],
    lastHeartbeatMs: null,
    lastSeenMs: wallMs,
    maintenanceSinceMs: null,
  };
}
