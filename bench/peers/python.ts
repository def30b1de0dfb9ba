/** A peer in Python: a process beside the bench that answers a line of JSON to each line that it is told. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface PythonPeer {
  /** @throws Error where the process ends instead of answering */
  ask(line: string): Promise<unknown>;
  /** What it said when it started. */
  readonly greeting: unknown;
  close(): Promise<void>;
}

/** Where Debian's packages put their modules comes after whatever the PATH names. */
const INTERPRETERS = ['python3', '/usr/bin/python3'];

/**
 * @param script beside this file
 * @param modules what it imports
 * @param interpreter of an environment of its own, tried first
 * @returns null where no interpreter has the modules
 */
export async function openPythonPeer(
  script: string,
  modules: readonly string[],
  words: readonly string[],
  interpreter?: string,
): Promise<PythonPeer | null> {
  const candidates = [...(interpreter === undefined ? [] : [interpreter]), ...INTERPRETERS];
  const python = candidates.find((candidate) => canImport(candidate, modules));
  if (python === undefined) return null;
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(python, [path, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answer = readAnswers(child, script);
  return {
    greeting: await answer(),
    ask(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async close() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

function canImport(python: string, modules: readonly string[]): boolean {
  try {
    execFileSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function readAnswers(child: ChildProcess, script: string): () => Promise<unknown> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${script} ended without an answer`);
    return JSON.parse(value);
  };
}
