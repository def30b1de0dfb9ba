/** Which providers can be used here, in which order, and why the others cannot. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ProviderName } from '../../workers/protocol.ts';

export interface RefusedProvider {
  readonly provider: ProviderName;
  readonly why: string;
}

export interface RankedProviders {
  /** The best first. */
  readonly usable: ProviderName[];
  readonly refused: RefusedProvider[];
}

export const PROVIDER_ORDER: readonly ProviderName[] = ['cuda', 'webgpu', 'cpu', 'wasm'];

const PROBE_FILE = fileURLToPath(new URL('../../workers/provider-probe.ts', import.meta.url));
/** A first run on a GPU may compile its kernels for many seconds; a software adapter takes minutes. */
const PROBE_LIMIT_MS = 60_000;

/**
 * GPU providers are tried in a process apart: timed, and their answer held against the CPU's. CPU and WASM are proven when their
 * threads start.
 */
export async function rankProviders(
  order: readonly ProviderName[],
  probe: (provider: ProviderName) => Promise<{ usable: boolean; why: string }> = probeInChild,
  gpuIsVisible: () => Promise<boolean> = isGpuVisible,
): Promise<RankedProviders> {
  const usable: ProviderName[] = [];
  const refused: RefusedProvider[] = [];
  for (const provider of order) {
    if (provider === 'cpu' || provider === 'wasm') {
      usable.push(provider);
    } else if (!(await gpuIsVisible())) {
      refused.push({
        provider,
        why: 'no GPU is visible on this machine; an adapter in software is slower than the CPU',
      });
    } else {
      const report = await probe(provider);
      if (report.usable) usable.push(provider);
      else refused.push({ provider, why: report.why });
    }
  }
  return { usable, refused };
}

/** Device files of NVIDIA, of Linux' graphics drivers and of WSL; elsewhere the probe has to find out. */
async function isGpuVisible(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  const files = await readdir('/dev/dri').catch(() => []);
  return files.some((file) => file.startsWith('renderD'));
}

export function probeInChild(provider: ProviderName): Promise<{ usable: boolean; why: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROBE_FILE, provider],
      { timeout: PROBE_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 20 },
      (error, stdout, stderr) => {
        const line = stdout.trim().split('\n').at(-1) ?? '';
        if (line.startsWith('{')) return resolve(JSON.parse(line) as { usable: boolean; why: string });
        if (error?.killed)
          return resolve({ usable: false, why: `no answer within ${PROBE_LIMIT_MS / 1000} s` });
        const said = stderr.trim().split('\n').at(-1) ?? '';
        resolve({
          usable: false,
          why: `its probe ended with ${error?.signal ?? error?.code ?? 'nothing'}: ${said}`,
        });
      },
    );
  });
}
