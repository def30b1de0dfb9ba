/** What other processes of this machine cost, as Linux tells it. */
import { readdirSync, readFileSync } from 'node:fs';

/** User and system time of all of its threads, in steps of a hundredth of a second. */
export const processCpuS = (pid: number): number => secondsOf(statOf(pid).slice(11, 13));

/** Of this process and of its children that have ended. */
export const cpuWithChildrenS = (): number => secondsOf(statOf(process.pid).slice(11, 15));

const secondsOf = (ticks: readonly string[]): number =>
  ticks.reduce((total, each) => total + Number(each), 0) / 100;

export const residentMB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(statOf(child)[1]) === pid;
      } catch {
        // It ended a moment ago.
        return false;
      }
    });
}

/** The fields after the name, which may hold spaces and brackets. */
const statOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
