import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createServerDatabase } from '../../support/database.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../../support/postgres.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const SENDERS = 6;

describe('facepool while its PostgreSQL restarts', { skip: withoutPostgres }, () => {
  let postgres: PostgresServer;
  let server: TestServer;
  before(async () => {
    postgres = await startPostgres();
    const { url } = await createServerDatabase('restart', postgres.url);
    server = await startTestServer({ DATABASE_URL: url, DATABASE_POOL_SIZE: '4' });
  });
  after(async () => {
    await server?.dispose();
    await postgres?.dispose();
  });

  const post = async (number: number) => {
    const body = JSON.stringify({ deviceId: 'board', timestamp: number });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await server.call('/api/v1/ingest/sensor-data', { method: 'POST', headers, body });
    await answer.arrayBuffer();
    return answer.status;
  };

  /** What is stored, by its number: how often. */
  async function stored(): Promise<Map<number, number>> {
    const answer = await server.call('/api/v1/ingest/sensor-data?limit=1000');
    const { data } = (await answer.json()) as { data: { data: { timestamp: number } }[] };
    const counts = new Map<number, number>();
    for (const {
      data: { timestamp },
    } of data)
      counts.set(timestamp, (counts.get(timestamp) ?? 0) + 1);
    return counts;
  }

  let next = 0;
  for (const how of ['fast', 'crash'] as const)
    test(`no acknowledged reading is lost or doubled when it ends by ${how}, and it is found again`, async () => {
      const acknowledged: number[] = [];
      const statuses = new Set<number>();
      let restarting = true;
      const senders = Array.from({ length: SENDERS }, async () => {
        while (restarting && next < 900) {
          const number = next++;
          const status = await post(number);
          statuses.add(status);
          if (status === 200) acknowledged.push(number);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      });
      while (acknowledged.length < 30) await new Promise((resolve) => setTimeout(resolve, 10));
      await postgres.halt(how);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await postgres.start();
      const beforeReturn = acknowledged.length;
      while (acknowledged.length < beforeReturn + 20) await new Promise((resolve) => setTimeout(resolve, 10));
      restarting = false;
      await Promise.all(senders);

      for (const status of statuses) assert.ok([200, 429, 503].includes(status), `status ${status}`);
      const counts = await stored();
      for (const number of acknowledged) assert.equal(counts.get(number), 1, `reading ${number}`);
      for (const [number, count] of counts) assert.equal(count, 1, `reading ${number}`);
      const health = (await (await server.call('/health')).json()) as { database: unknown };
      assert.deepEqual(health.database, { kind: 'server', connected: true });
    });
});
