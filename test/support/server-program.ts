/** The whole server as a process of its own, as `npm start` runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

export class ServerProgram {
  readonly child: ChildProcess;
  output = '';

  /** @param folder its working folder, with its data in `data`; with `ownGroup`, `-child.pid` is the group of all its processes */
  constructor(folder: string, settings: Readonly<Record<string, string>> = {}, { ownGroup = false } = {}) {
    const { PATH = '' } = process.env;
    this.child = spawn(process.execPath, [MAIN], {
      cwd: folder,
      env: {
        PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        DATA_DIR: join(folder, 'data'),
        WORKER_THREADS: '1',
        MODEL_DOWNLOAD: 'never',
        LOG_FORMAT: 'json',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: ownGroup,
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
  }

  /** As the kernel ends it: without a chance to tidy up. */
  kill(): void {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }

  async exit(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** The address, once requests are answered. */
  async ready(): Promise<string> {
    while (!this.output.includes('"ready after')) {
      if (this.child.exitCode !== null) throw new Error(`the server ended: ${this.output}`);
      await Promise.race([once(this.child.stdout!, 'data'), once(this.child, 'close')]);
    }
    return /"urls":\["([^"]+)"/.exec(this.output)![1]!;
  }
}
