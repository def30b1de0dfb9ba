/** The real server in a process of its own that can be told to lose a thread. Forked by server-process.ts. */
import { Writable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { loadConfig } from '../../server/config.ts';
import { startServer } from '../../server/start.ts';

const workers: Worker[] = [];
/** The thread that looked at a picture last: the log tells which. */
let lastThreadId: number | null = null;

process.on('worker', (worker) => workers.push(worker));
process.on('message', (message) => {
  const end = (isMeant: (worker: Worker) => boolean) => void workers.findLast(isMeant)?.terminate();
  if (message === 'end a thread') end(({ threadId }) => threadId === lastThreadId);
  if (message === 'end the database') end(({ threadName }) => threadName === 'database');
  if (message === 'stop') void running.then((server) => server.stop()).then(() => process.exit(0));
});

const output = new Writable({
  decodeStrings: false,
  write(chunk, _encoding, done) {
    const line = String(chunk);
    const threadId = /"threadId":(\d+)/.exec(line)?.[1];
    if (threadId !== undefined) lastThreadId = Number(threadId);
    if (/"level":"(ERROR|FATAL)"/.test(line)) process.stderr.write(line);
    const removed = /"frame":"([^"]+)","reason":"disk_full","message":"a stored frame is removed"/.exec(
      line,
    )?.[1];
    if (removed !== undefined) process.send!({ removed });
    done();
  },
});

const { config, programPath } = loadConfig('/');
const running = startServer(config, { output, programPath });
const server = await running;
void server.broken.then(() => process.exit(1));
process.send!('ready');
