import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseKinds, openTestDatabase } from '../../support/database.ts';

for (const kind of databaseKinds)
  test(`the tests use the ${kind} database through the driver`, async (t) => {
    const own = await openTestDatabase(kind);
    try {
      const { rows } = await own.database.read<{ version: string; vector: string }>(
        "SELECT version(), extversion AS vector FROM pg_extension WHERE extname = 'vector'",
      );
      const [version] = /^PostgreSQL [\d.]+/.exec(rows[0]!.version)!;
      const where = kind === 'server' ? 'the server of DATABASE_URL' : 'embedded, through its socket';
      t.diagnostic(`database of the tests: ${version} with pgvector ${rows[0]!.vector}, ${where}`);
      assert.equal(own.database.kind, kind);
    } finally {
      await own.close();
    }
  });
