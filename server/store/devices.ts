/** Boards and the commands that wait for them in the database. SQL text only here, values only as parameters. */
import type { DeviceRecord, DeviceStore, QueuedCommand } from '../devices/device-store.ts';
import type { Database, Query } from './pool.ts';

export interface CommandTotals {
  readonly sent: number;
  readonly failed: number;
}

/** Of device_command_totals, to add. */
export type CommandOutcome = 'sent' | 'failed';

const milliseconds = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
const time = (column: string) => `to_timestamp(${column} / 1000.0)`;

/** A batch comes as one JSON array: one statement and one parameter, whatever the number of rows, nulls included. */
export const SQL = {
  devices: `SELECT device_id, name, type, ip_address, capabilities, registered, reported_status, uptime, free_heap, wifi_rssi,
      error_count, errors, ${milliseconds('last_heartbeat_at')} AS last_heartbeat_ms, ${milliseconds('last_seen_at')} AS last_seen_ms,
      ${milliseconds('maintenance_since')} AS maintenance_since_ms
    FROM devices ORDER BY device_id`,
  saveDevices: `INSERT INTO devices (device_id, name, type, ip_address, capabilities, registered, reported_status, uptime, free_heap,
      wifi_rssi, error_count, errors, last_heartbeat_at, last_seen_at, maintenance_since)
    SELECT "deviceId", name, type, "ipAddress", capabilities, registered, "reportedStatus", uptime, "freeHeap", "wifiRssi", "errorCount",
      errors, ${time('"lastHeartbeatMs"')}, ${time('"lastSeenMs"')}, ${time('"maintenanceSinceMs"')}
    FROM json_to_recordset($1::json) AS given ("deviceId" text, name text, type text, "ipAddress" text, capabilities json,
      registered boolean, "reportedStatus" text, uptime float8, "freeHeap" float8, "wifiRssi" float8, "errorCount" integer, errors json,
      "lastHeartbeatMs" float8, "lastSeenMs" float8, "maintenanceSinceMs" float8)
    ON CONFLICT (device_id) DO UPDATE SET name = excluded.name, type = excluded.type, ip_address = excluded.ip_address,
      capabilities = excluded.capabilities, registered = excluded.registered, reported_status = excluded.reported_status,
      uptime = excluded.uptime, free_heap = excluded.free_heap, wifi_rssi = excluded.wifi_rssi, error_count = excluded.error_count,
      errors = excluded.errors, last_heartbeat_at = excluded.last_heartbeat_at, last_seen_at = excluded.last_seen_at,
      maintenance_since = excluded.maintenance_since`,
  removeDevices: 'DELETE FROM devices WHERE device_id = ANY($1::text[])',
  commands: `SELECT id::float8 AS id, device_id, command, params, ${milliseconds('created_at')} AS created_ms
    FROM device_commands ORDER BY id`,
  // The row of the device is not locked: one that is removed at this moment takes its commands along.
  queueCommand: `INSERT INTO device_commands (device_id, command, params, created_at) VALUES ($1, $2, $3, ${time('$4::float8')})
    RETURNING id::float8 AS id`,
  takeCommands: 'DELETE FROM device_commands WHERE id = ANY($1::bigint[])',
  totals: 'SELECT sent::float8 AS sent, failed::float8 AS failed FROM device_command_totals',
  addTotals: `INSERT INTO device_command_totals AS total (sent, failed) VALUES ($1, $2)
    ON CONFLICT (only_row) DO UPDATE SET sent = total.sent + excluded.sent, failed = total.failed + excluded.failed`,
} as const;

interface DeviceRow {
  readonly device_id: string;
  readonly name: string;
  readonly type: string;
  readonly ip_address: string;
  readonly capabilities: string[];
  readonly registered: boolean;
  readonly reported_status: string;
  readonly uptime: number;
  readonly free_heap: number;
  readonly wifi_rssi: number | null;
  readonly error_count: number;
  readonly errors: string[];
  readonly last_heartbeat_ms: number | null;
  readonly last_seen_ms: number;
  readonly maintenance_since_ms: number | null;
}

export function createDeviceStore(database: Database): DeviceStore {
  const { read, transaction } = database;
  const count = (query: Query, { sent = 0, failed = 0 }: Partial<CommandTotals>) =>
    query(SQL.addTotals, [sent, failed]);

  return {
    /** Everything that a server has to know when it starts. */
    async load(): Promise<{ devices: DeviceRecord[]; commands: QueuedCommand[]; totals: CommandTotals }> {
      const devices = await read<DeviceRow>(SQL.devices);
      const commands = await read<{
        id: number;
        device_id: string;
        command: string;
        params: unknown;
        created_ms: number;
      }>(SQL.commands);
      const totals = await read<CommandTotals>(SQL.totals);
      return {
        devices: devices.rows.map(recordOf),
        commands: commands.rows.map((row) => ({
          id: row.id,
          deviceId: row.device_id,
          command: row.command,
          params: row.params,
          createdMs: row.created_ms,
        })),
        totals: totals.rows[0] ?? { sent: 0, failed: 0 },
      };
    },

    /** Removes devices with the commands that wait for them, and then inserts or updates others: all of it or nothing. */
    async save(devices: readonly DeviceRecord[], removedIds: readonly string[]): Promise<void> {
      await transaction(async (query) => {
        if (removedIds.length > 0) await query(SQL.removeDevices, [removedIds]);
        if (devices.length > 0) await query(SQL.saveDevices, [JSON.stringify(devices)]);
      });
    },

    async queueCommand(
      deviceId: string,
      command: string,
      params: unknown,
      createdMs: number,
    ): Promise<number> {
      const { rows } = await database.query<{ id: number }>(SQL.queueCommand, [
        deviceId,
        command,
        JSON.stringify(params),
        createdMs,
      ]);
      return rows[0]!.id;
    },

    /** Deletes commands that are about to be handed out, and counts them as sent. */
    async takeCommands(ids: readonly number[]): Promise<void> {
      await transaction(async (query) => {
        await query(SQL.takeCommands, [ids]);
        await count(query, { sent: ids.length });
      });
    },

    async countCommands(outcome: CommandOutcome, commands: number): Promise<void> {
      await count(database.query, { [outcome]: commands });
    },
  };
}

function recordOf(row: DeviceRow): DeviceRecord {
  return {
    deviceId: row.device_id,
    name: row.name,
    type: row.type,
    ipAddress: row.ip_address,
    capabilities: row.capabilities,
    registered: row.registered,
    reportedStatus: row.reported_status,
    uptime: row.uptime,
    freeHeap: row.free_heap,
    wifiRssi: row.wifi_rssi,
    errorCount: row.error_count,
    errors: row.errors,
    lastHeartbeatMs: row.last_heartbeat_ms,
    lastSeenMs: row.last_seen_ms,
    maintenanceSinceMs: row.maintenance_since_ms,
  };
}
