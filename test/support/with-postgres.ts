/** Runs a command with a PostgreSQL server beside it that DATABASE_URL names; ends with the command's exit code. */
import { spawn } from 'node:child_process';
import { startPostgres } from './postgres.ts';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) throw new Error('expected a command');
const server = await startPostgres();
const child = spawn(program, args, {
  stdio: 'inherit',
  env: { ...process.env, DATABASE_URL: server.url },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
process.exitCode = await new Promise<number>((resolve) => {
  child.once('error', () => resolve(127));
  child.once('exit', (code) => resolve(code ?? 1));
});
await server.dispose();
