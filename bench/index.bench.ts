/** The nearest person among 1,000 to 100,000 embeddings: the SIMD kernel, a plain loop, and the database. */
import {
  EmbeddingIndexReader,
  EmbeddingIndexWriter,
  type NearestPersons,
} from '../kernels/embedding-index.ts';
import { vectorText } from '../server/store/faces.ts';
import type { Database } from '../server/store/pool.ts';
import { openTestDatabase } from '../test/support/database.ts';
import { near, randomUnitVector, seededRandom } from '../test/support/vectors.ts';
import { type Reporter, ratioFigure, type Timing, timeInterleaved, timingFigure, verify } from './harness.ts';

export const title = 'top 1 among n embeddings of 512 dimensions, one thread';

const SIZES = [1000, 10_000, 100_000] as const;
const PROMISED_SIZE = 10_000;
const PROMISED_MS = 0.6;
const QUERIES = 20;
/** Single and double precision sum 512 products in different orders. */
const SIMILARITY_ERROR = 1e-5;

/**
 * `even`: directions without any order, the distances of strangers all alike. `faces`: around one centre, as embeddings of faces lie (cosines
 * of two people about 0.67), where far more rows come close to the best one.
 */
const SPREADS = { even: null, faces: 0.7 } as const;

interface Rows {
  readonly embeddings: readonly Float32Array[];
  /** Half of them a picture of a row's person, half of them strangers. */
  readonly queries: readonly Float32Array[];
}

export async function run(reporter: Reporter): Promise<void> {
  for (const kind of ['even', 'faces'] as const) {
    for (const size of SIZES) {
      const rows = makeRows(size, SPREADS[kind]);
      const kernel = await measureMemory(reporter, rows, kind);
      if (kind === 'faces' && size <= PROMISED_SIZE) await measureDatabase(reporter, rows, kernel);
    }
  }
}

function makeRows(size: number, spread: number | null): Rows {
  const random = seededRandom(size);
  const centre = randomUnitVector(random);
  const one = () => (spread === null ? randomUnitVector(random) : near(centre, spread, random));
  const embeddings = Array.from({ length: size }, one);
  const queries = Array.from({ length: QUERIES }, (_, i) => {
    const known = embeddings[Math.floor(random() * size)]!;
    return i % 2 === 0 ? near(known, 0.4, random) : one();
  });
  return { embeddings, queries };
}

interface Searched {
  readonly answers: readonly NearestPersons[];
  readonly timing: Timing;
}

async function measureMemory(
  reporter: Reporter,
  { embeddings, queries }: Rows,
  kind: string,
): Promise<Searched> {
  const size = embeddings.length;
  const writer = EmbeddingIndexWriter.create(size);
  for (const [person, embedding] of embeddings.entries()) writer.append(person, embedding);
  const reader = EmbeddingIndexReader.attach(writer.memory);
  const answers = queries.map((query) => reader.search(query)!);
  const [kernel, plain] = await timeInterleaved(
    [
      {
        body: () => queries.map((query) => reader.search(query)!),
        check: (found) => checkSame(found as NearestPersons[], answers),
      },
      {
        body: () => queries.map((query) => searchPlainly(embeddings, query)),
        check: (found) => checkSame(found as Found[], answers),
      },
    ],
    { repeats: size > PROMISED_SIZE ? 5 : 15 },
  ).then((timings) => timings.map(perQuery));
  const target = size === PROMISED_SIZE ? { atMost: PROMISED_MS } : undefined;
  const name = `${size} ${kind}`;
  reporter.add(timingFigure(`${name}: SIMD kernel`, kernel!, target));
  reporter.add(timingFigure(`${name}: plain JavaScript loop`, plain!));
  reporter.add(ratioFigure(`${name}: kernel faster than the loop`, plain!, kernel!));
  reader.detach();
  return { answers, timing: kernel! };
}

async function measureDatabase(reporter: Reporter, rows: Rows, kernel: Searched): Promise<void> {
  const size = rows.embeddings.length;
  const test = await openTestDatabase('embedded', { migrated: true });
  try {
    await insertRows(test.database, rows.embeddings);
    const texts = rows.queries.map(vectorText);
    const [exact] = await timeInterleaved(
      [
        {
          body: async () => {
            const found: Found[] = [];
            for (const text of texts) found.push(await searchDatabase(test.database, text));
            return found;
          },
          check: (found) => checkSame(found, kernel.answers),
        },
      ],
      { warmUps: 1, repeats: 3 },
    ).then((timings) => timings.map(perQuery));
    reporter.add(timingFigure(`${size} faces: pgvector, exact, embedded database`, exact!));
    const value = exact!.medianMs / kernel.timing.medianMs;
    reporter.add({ name: `${size} faces: kernel faster than pgvector`, unit: 'times', value });
  } finally {
    await test.close();
  }
}

interface Found {
  readonly person: number;
  readonly similarity: number;
}

/** What one writes without thinking about it. */
function searchPlainly(embeddings: readonly Float32Array[], query: Float32Array): Found {
  let [person, similarity] = [-1, -Infinity];
  for (let row = 0; row < embeddings.length; row++) {
    const embedding = embeddings[row]!;
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += embedding[i]! * query[i]!;
    if (sum > similarity) [person, similarity] = [row, sum];
  }
  return { person, similarity };
}

const BATCH_ROWS = 500;

/** In a table of nothing else, stored in line: the kindest that the database can be given. */
async function insertRows(database: Database, embeddings: readonly Float32Array[]): Promise<void> {
  await database.query(
    'CREATE TABLE bench_rows (person integer PRIMARY KEY, embedding vector(512) NOT NULL)',
  );
  await database.query('ALTER TABLE bench_rows ALTER COLUMN embedding SET STORAGE PLAIN');
  for (let from = 0; from < embeddings.length; from += BATCH_ROWS) {
    const batch = embeddings.slice(from, from + BATCH_ROWS);
    await database.query(
      'INSERT INTO bench_rows SELECT person, text::vector FROM unnest($1::int[], $2::text[]) AS given (person, text)',
      [batch.map((_, i) => from + i), batch.map(vectorText)],
    );
  }
}

async function searchDatabase(database: Database, text: string): Promise<Found> {
  const { rows } = await database.query<{ person: number; similarity: number }>(
    `SELECT person, 1 - (embedding <=> $1) AS similarity
     FROM (SELECT person, embedding FROM bench_rows ORDER BY embedding <=> $1 LIMIT 1) AS nearest`,
    [text],
  );
  return rows[0]!;
}

function checkSame(found: readonly Found[], expected: readonly Found[]): void {
  for (const [i, { person, similarity }] of found.entries()) {
    const other = expected[i]!;
    verify(person === other.person, `query ${i}: person ${person}, the kernel found ${other.person}`);
    verify(
      Math.abs(similarity - other.similarity) < SIMILARITY_ERROR,
      `query ${i}: similarity ${similarity}`,
    );
  }
}

function perQuery({ timesMs, ...timing }: Timing): Timing {
  return {
    medianMs: timing.medianMs / QUERIES,
    minMs: timing.minMs / QUERIES,
    maxMs: timing.maxMs / QUERIES,
    repeats: timing.repeats,
    timesMs: timesMs.map((timeMs) => timeMs / QUERIES),
  };
}
