/** What HTTP adds to recognition: the same pictures by POST from another process, and straight to the recogniser, in turns. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wholeNumber } from './command-line.ts';
import { median, type Reporter, spreadFigure, verify } from './harness.ts';
import type { LoadOrder, LoadResult } from './load-client.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';
import { onePersonJpeg } from './pictures.ts';
import { findYunet, WITHOUT_YUNET } from './selections.ts';

export const title = 'JPEG 640x480 with one face at 8 connections, against the recogniser called directly';

const CONNECTIONS = 8;
const NAME = 'Anna';
const MOST_ADDED_PERCENT = 10;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const rounds = wholeNumber(options, 'rounds', 11, 1, 1000);
  await measure(reporter, 'SSD', [], { DETECTOR: 'ssd' }, rounds, 64);
  const yunet = await findYunet();
  if (yunet === null) return reporter.skip(WITHOUT_YUNET);
  await measure(reporter, 'YuNet', [yunet.detector.path!], { DETECTOR: 'yunet' }, rounds, 160);
}

async function measure(
  reporter: Reporter,
  name: string,
  modelPaths: readonly string[],
  settings: Readonly<Record<string, string>>,
  rounds: number,
  requests: number,
): Promise<void> {
  const server = await startOwnServer({ settings, modelPaths });
  const client = fork(fileURLToPath(new URL('./load-client.ts', import.meta.url)));
  try {
    const picture = await onePersonJpeg();
    const picturePath = join(server.folder, 'picture.jpg');
    await writeFile(picturePath, picture);
    await server.gallery.enrol(NAME, picture);
    const order: LoadOrder = {
      url: `${server.url}/api/v1/recognize`,
      picturePath,
      connections: CONNECTIONS,
      requests,
      expectedName: NAME,
    };
    const taken: Round[] = [];
    for (let round = -1; round < rounds; round++) {
      const beforeDirect = process.cpuUsage();
      const directMs = await recogniseDirectly(server, picture, requests);
      const directCpuMs = cpuSince(beforeDirect);
      const beforeHttp = process.cpuUsage();
      const http = await orderFrom(client, order);
      const httpCpuMs = cpuSince(beforeHttp);
      verify(http.wrong === null, `an answer over HTTP: ${http.wrong}`);
      if (round >= 0) taken.push({ directMs, directCpuMs, http, httpCpuMs });
    }
    report(reporter, name, requests, taken);
  } finally {
    client.disconnect();
    await server.dispose();
  }
}

interface Round {
  readonly directMs: number;
  readonly http: LoadResult;
  /** Of this process with its threads, without the load generator. */
  readonly directCpuMs: number;
  readonly httpCpuMs: number;
}

function report(reporter: Reporter, name: string, requests: number, rounds: readonly Round[]): void {
  const each = (pick: (round: Round) => number) => rounds.map((round) => pick(round) / requests);
  const added = rounds.map(({ directMs, http }) => 100 * (http.elapsedMs / directMs - 1));
  const addedCpu = rounds.map(({ directCpuMs, httpCpuMs }) => 100 * (httpCpuMs / directCpuMs - 1));
  const latencies = rounds.map(({ http }) => median(http.latenciesMs));
  const direct = `${name}, directly, ${CONNECTIONS} under way: each picture`;
  reporter.add(
    spreadFigure(
      direct,
      'ms',
      each(({ directMs }) => directMs),
    ),
  );
  const overHttp = `${name}, HTTP, ${CONNECTIONS} connections: each picture`;
  reporter.add(
    spreadFigure(
      overHttp,
      'ms',
      each(({ http }) => http.elapsedMs),
    ),
  );
  reporter.add(spreadFigure(`${name}: HTTP adds`, '%', added, { atMost: MOST_ADDED_PERCENT }));
  reporter.add(spreadFigure(`${name}: HTTP adds to the server's CPU time`, '%', addedCpu));
  reporter.add(spreadFigure(`${name}, HTTP: median latency`, 'ms', latencies));
  const generator = `${name}: load generator's CPU time on the same cores, each picture`;
  reporter.add(
    spreadFigure(
      generator,
      'ms',
      each(({ http }) => http.cpuMs),
    ),
  );
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Decoding, the networks and the search in the gallery, without HTTP. @returns milliseconds for all of them */
async function recogniseDirectly(server: OwnServer, bytes: Uint8Array, count: number): Promise<number> {
  const { gallery, recognizer } = server;
  let left = count;
  const start = performance.now();
  const client = async () => {
    while (left-- > 0) {
      const { faces } = await gallery.withIndex((index) =>
        recognizer.analyse({
          input: { kind: 'encoded', bytes },
          index,
          returnEmbeddings: false,
          jpegQuality: null,
        }),
      );
      const names = faces.map((face) => gallery.decide(face.match, face.quality).recognizedAs);
      verify(names.length === 1 && names[0] === NAME, `expected ${NAME} alone, found ${names.join(', ')}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return performance.now() - start;
}

function orderFrom(client: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the load generator ended with ${code}`));
    client.once('exit', ended);
    client.once('message', (result) => {
      client.off('exit', ended);
      resolve(result as LoadResult);
    });
    client.send(order);
  });
}
