/**
 * `npm run live:install`: has mediasoup fetch its media worker, or build it where none is offered for this machine, as its own install
 * does where scripts of packages may run. Then starts it once, and says what to do where it does not work.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pino from 'pino';
import { mediasoupFolder, startMediaServer } from './media-server.ts';

/** @param folder of the package @returns the exit code of its install script */
export function runInstall(folder: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(folder, 'npm-scripts.mjs'), 'postinstall'], {
      cwd: folder,
      stdio: 'inherit',
    });
    child.once('error', () => resolve(1));
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<void> {
  const code = await runInstall(mediasoupFolder(createRequire(import.meta.url).resolve('mediasoup')));
  if (code !== 0) {
    console.error(
      'The media worker could not be fetched or built. It needs github.com, or Python with pip and a C++ compiler. ' +
        'Where there is neither, build it elsewhere and name it in MEDIASOUP_WORKER_BIN. Until then cameras are seen as MJPEG.',
    );
    process.exitCode = code;
    return;
  }
  const media = await startMediaServer({
    workerBin: null,
    workers: 1,
    listening: { addresses: [{ ip: '127.0.0.1', announced: null }], warnings: [] },
    ports: { min: 40_000, max: 49_999 },
    log: pino({ level: 'silent' }),
  });
  media.close();
  console.log('The media worker is there and works: cameras are seen by WebRTC from the next start on.');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
