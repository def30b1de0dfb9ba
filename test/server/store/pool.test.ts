import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ServerError, StartError } from '../../../server/errors.ts';
import { startEmbedded } from '../../../server/store/embedded.ts';
import { type Database, openPool } from '../../../server/store/pool.ts';
import {
  databaseKinds,
  openTestDatabase,
  placeFreshCluster,
  type TestDatabase,
} from '../../support/database.ts';

for (const kind of databaseKinds)
  describe(`a pool on the ${kind} database`, () => {
    let own: TestDatabase;
    let database: Database;
    before(async () => {
      own = await openTestDatabase(kind, { migrated: false });
      database = own.database;
      await database.query('CREATE TABLE numbers (number integer PRIMARY KEY)');
    });
    after(() => own.close());

    test('gives each of many callers its own answer while others fail', async () => {
      const ask = async (i: number) => {
        if (i % 5 === 0) {
          await assert.rejects(database.query('SELECT 1 / $1::int', [0]), { code: '22012' });
        } else if (i % 2 === 0) {
          const { rows } = await database.query('SELECT $1::text AS a, $2::text AS b', [`x${i}`, 'y']);
          assert.deepEqual(rows, [{ a: `x${i}`, b: 'y' }]);
        } else {
          const { rows } = await database.read('SELECT $1::int AS c', [i]);
          assert.deepEqual(rows, [{ c: i }]);
        }
      };
      await Promise.all(Array.from({ length: 300 }, (_, i) => ask(i)));
      assert.equal(database.load().waiting, 0);
    });

    test('a transaction that fails leaves nothing, and its connection works on', async () => {
      await assert.rejects(
        database.transaction(async (query) => {
          await query('INSERT INTO numbers VALUES (1)');
          throw new Error('changed my mind');
        }),
        /changed my mind/,
      );
      await assert.rejects(
        database.transaction(async (query) => {
          await query('INSERT INTO numbers VALUES (2)');
          await query('INSERT INTO numbers VALUES (2)');
        }),
        { code: '23505' },
      );
      assert.equal((await database.query('SELECT * FROM numbers')).rowCount, 0);
      assert.equal(
        await database.transaction(async (query) => {
          await query('INSERT INTO numbers VALUES (3)');
          return (await query<{ number: number }>('SELECT number FROM numbers')).rows[0]!.number;
        }),
        3,
      );
    });

    test('closing waits for the statements that are under way', async () => {
      const other = await openTestDatabase(kind, { migrated: false });
      const answer = other.database.query('SELECT pg_sleep(0.2), 7 AS seven');
      await other.close();
      assert.equal((await answer).rows[0]!.seven, 7);
    });
  });

/** Stands between the pool and the database like a network that can be cut. */
class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  port = 0;

  constructor(socketPath: string) {
    this.#server = createServer((near) => {
      const far = connect(socketPath);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  async plugIn(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as { port: number }).port;
  }

  async unplug(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('a pool whose database goes away', () => {
  let folder: string;
  let embedded: Awaited<ReturnType<typeof startEmbedded>>;
  let cable: Cable;
  let database: Database;
  const lost: string[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-test-pool-'));
    await placeFreshCluster(folder);
    embedded = await startEmbedded(folder);
    cable = new Cable(join(embedded.socketFolder, `.s.PGSQL.${embedded.port}`));
    await cable.plugIn();
    database = openPool(
      { kind: 'server', url: `postgres://postgres:se%2Fcret@127.0.0.1:${cable.port}/postgres` },
      { maxConnections: 1, reconnectMs: 300, onConnectionLost: (message) => lost.push(message) },
    );
  });
  after(async () => {
    await database.close();
    await cable.unplug();
    await embedded.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('works on after its connections were cut, without an error for the next callers', async () => {
    await database.query('SELECT 1');
    cable.cut();
    assert.deepEqual((await database.read('SELECT 2 AS two')).rows, [{ two: 2 }]);
    cable.cut();
    assert.equal(await database.transaction(async (query) => (await query('SELECT 1')).rowCount), 1);
  });

  test('a statement that was cut off half way is tried again only where it reads', async () => {
    const cutSoon = () => setTimeout(() => cable.cut(), 100);
    cutSoon();
    await assert.rejects(database.query('SELECT pg_sleep(0.4)'), {
      code: 'DATABASE_UNAVAILABLE',
      status: 503,
    });
    cutSoon();
    assert.deepEqual((await database.read('SELECT pg_sleep(0.4), 3 AS three')).rows[0]!.three, 3);
  });

  test('answers 503 while the database is away and works again when it is back; the password shows nowhere', async () => {
    await cable.unplug();
    await assert.rejects(database.query('SELECT 1'), (error: Error) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.status, 503);
      assert.ok(!inspect(error, { depth: 9 }).includes('cret'));
      return true;
    });
    await cable.plugIn();
    assert.equal((await database.query('SELECT 1')).rowCount, 1);
    assert.ok(!lost.join().includes('cret'));
  });
});

test('an address that is none is refused without showing it', () => {
  for (const url of ['postgres://user:secret@host:99999/x', 'mysql://user:secret@host/x', 'secret'])
    assert.throws(
      () => openPool({ kind: 'server', url }),
      (error: Error) => error instanceof StartError && !inspect(error).includes('secret'),
    );
});
