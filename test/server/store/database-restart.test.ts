import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createServerDatabase } from '../../support/database.ts';
import { endDatabaseThreads } from '../../support/database-thread.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../../support/postgres.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const SENDERS = 6;
let next = 0;

async function post(server: TestServer, number: number): Promise<number> {
  const body = JSON.stringify({ deviceId: 'board', timestamp: number });
  const headers = { 'Content-Type': 'application/json' };
  const answer = await server.call('/api/v1/ingest/sensor-data', { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

/** What is stored, by its number: how often. */
async function stored(server: TestServer): Promise<Map<number, number>> {
  const answer = await server.call('/api/v1/ingest/sensor-data?limit=1000');
  const { data } = (await answer.json()) as { data: { data: { timestamp: number } }[] };
  const counts = new Map<number, number>();
  for (const {
    data: { timestamp },
  } of data)
    counts.set(timestamp, (counts.get(timestamp) ?? 0) + 1);
  return counts;
}

/** Sends readings all along, and counts them once they are acknowledged again after `restart`. */
async function keepsReadings(server: TestServer, restart: () => Promise<void>): Promise<void> {
  const acknowledged: number[] = [];
  const statuses = new Set<number>();
  let restarting = true;
  const senders = Array.from({ length: SENDERS }, async () => {
    while (restarting && next < 900) {
      const number = next++;
      const status = await post(server, number);
      statuses.add(status);
      if (status === 200) acknowledged.push(number);
      await pause(20);
    }
  });
  while (acknowledged.length < 30) await pause(10);
  await restart();
  const beforeReturn = acknowledged.length;
  while (acknowledged.length < beforeReturn + 20) await pause(10);
  restarting = false;
  await Promise.all(senders);

  for (const status of statuses) assert.ok([200, 429, 503].includes(status), `status ${status}`);
  const counts = await stored(server);
  for (const number of acknowledged) assert.equal(counts.get(number), 1, `reading ${number}`);
  for (const [number, count] of counts) assert.equal(count, 1, `reading ${number}`);
  const { database } = (await (await server.call('/health')).json()) as { database: object };
  assert.deepEqual(database, { kind: server.config.DATABASE_URL ? 'server' : 'embedded', connected: true });
}

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

  for (const how of ['fast', 'crash', 'kill'] as const)
    test(`no acknowledged reading is lost or doubled when it ends by ${how}, and it is found again`, () =>
      keepsReadings(server, async () => {
        await postgres.halt(how);
        await pause(300);
        await postgres.start();
      }));
});

describe('facepool while the thread of its embedded database ends', {
  skip: process.env.DATABASE_URL ? 'the database is that of DATABASE_URL' : false,
}, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server?.dispose());

  test('no acknowledged reading is lost or doubled, and the database comes back within the process', async () => {
    for (let time = 0; time < 2; time++)
      await keepsReadings(server, async () => assert.equal(await endDatabaseThreads(), 1));
    const lines = server.lines.join('');
    assert.match(lines, /"level":"ERROR".*its thread ended with code 1.*the embedded database has stopped/);
    assert.match(lines, /the embedded database is back/);
    const metrics = await (await server.call('/metrics')).text();
    assert.match(metrics, /^face_database_restarts_total 2$/m);
  });
});
