/** What devices ask of the database; store/devices.ts and store/sensor-data.ts answer. Types only. */
/** One board as it is stored. Times in milliseconds since the epoch. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly name: string;
  readonly type: string;
  readonly ipAddress: string;
  readonly capabilities: readonly string[];
  readonly registered: boolean;
  readonly reportedStatus: string;
  readonly uptime: number;
  readonly freeHeap: number;
  readonly wifiRssi: number | null;
  readonly errorCount: number;
  readonly errors: readonly string[];
  readonly lastHeartbeatMs: number | null;
  readonly lastSeenMs: number;
  readonly maintenanceSinceMs: number | null;
}

export interface QueuedCommand {
  readonly id: number;
  readonly deviceId: string;
  readonly command: string;
  readonly params: unknown;
  readonly createdMs: number;
}

export interface DeviceStore {
  load(): Promise<{
    devices: DeviceRecord[];
    commands: QueuedCommand[];
    totals: { readonly sent: number; readonly failed: number };
  }>;
  save(devices: readonly DeviceRecord[], removedIds: readonly string[]): Promise<void>;
  queueCommand(deviceId: string, command: string, params: unknown, createdMs: number): Promise<number>;
  takeCommands(ids: readonly number[]): Promise<void>;
  countCommands(outcome: 'sent' | 'failed', commands: number): Promise<void>;
}

export interface NewReading {
  readonly deviceId: string;
  /** By this server's clock, milliseconds since the epoch. */
  readonly receivedMs: number;
  /** The board's JSON object as it came. */
  readonly data: unknown;
}

export interface StoredReading extends NewReading {
  readonly id: number;
}

export interface ReadingFilter {
  readonly deviceId?: string;
  /** Only what was received at or after this time. */
  readonly sinceMs?: number;
  readonly limit: number;
}

export interface AverageFilter {
  readonly deviceId: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Equal parts of that time, from the oldest reading in it on. */
  readonly buckets: number;
}

/** What a board measured in one part of the time. The numbers go by their paths: `temperature`, `air.humidity`, `cells.0`. */
export interface AverageReading {
  /** Of the newest reading in it. */
  readonly id: number;
  readonly readings: number;
  /** The mean of the times at which they were received. */
  readonly receivedMs: number;
  readonly means: Readonly<Record<string, number>>;
  readonly least: Readonly<Record<string, number>>;
  readonly most: Readonly<Record<string, number>>;
}

export interface SensorDataStore {
  add(readings: readonly NewReading[]): Promise<void>;
  list(filter: ReadingFilter): Promise<StoredReading[]>;
  averages(filter: AverageFilter): Promise<AverageReading[]>;
  removeOlder(thanMs: number): Promise<number>;
  removeBeyond(rows: number): Promise<number>;
}
