/** What a server acknowledged, and whether it is still there: counted, not sampled. */
import type { ServerProcess } from './server-process.ts';

export interface Audit {
  readonly kind: string;
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
}

type Kind = 'frame' | 'reading' | 'enrolment' | 'removal' | 'recognition of a picture';

/** Readings of one id that can be read back in one answer. */
export const READINGS_PER_ID = 500;

export class Ledger {
  readonly frames: string[] = [];
  readonly readings = new Map<string, number[]>();
  readonly enrolled = new Set<string>();
  readonly removed = new Set<string>();
  readonly #outcomes = new Map<string, number>();

  /** @param status null where the connection broke: nothing was acknowledged, and it may be there or not */
  note(kind: Kind, status: number | null): void {
    const outcome = `${kind}: ${status ?? 'no answer'}`;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  count(kind: Kind, status: number | null): number {
    return this.#outcomes.get(`${kind}: ${status ?? 'no answer'}`) ?? 0;
  }

  /** Answers that a server must never give. */
  get internalErrors(): number {
    return [...this.#outcomes].reduce(
      (sum, [outcome, count]) => (/: 500$/.test(outcome) ? sum + count : sum),
      0,
    );
  }

  outcomes(): string {
    return [...this.#outcomes]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(', ');
  }

  async audit(server: ServerProcess): Promise<Audit[]> {
    return [
      await this.#auditFrames(server),
      await this.#auditReadings(server),
      await this.#auditPeople(server),
    ];
  }

  async #auditFrames(server: ServerProcess): Promise<Audit> {
    let lost = 0;
    for (const name of this.frames) {
      // On a full disk the oldest go first, and the log names them: those are reported, not lost.
      if (server.framesRemoved.has(name)) continue;
      const answer = await server.call(`/data/${encodeURIComponent(name)}`, { method: 'HEAD' });
      if (answer.status !== 200) lost++;
    }
    const doubled = this.frames.length - new Set(this.frames).size;
    return { kind: 'frames', acknowledged: this.frames.length, lost, doubled };
  }

  async #auditReadings(server: ServerProcess): Promise<Audit> {
    let acknowledged = 0;
    let lost = 0;
    let doubled = 0;
    for (const [deviceId, numbers] of this.readings) {
      const answer = await server.call(`/api/v1/ingest/sensor-data?deviceId=${deviceId}&limit=1000`);
      const { data } = (await answer.json()) as { data: { data: { timestamp: number } }[] };
      const times = new Map<number, number>();
      for (const row of data) times.set(row.data.timestamp, (times.get(row.data.timestamp) ?? 0) + 1);
      acknowledged += numbers.length;
      for (const number of numbers) {
        const found = times.get(number) ?? 0;
        if (found === 0) lost++;
        doubled += Math.max(0, found - 1);
      }
    }
    return { kind: 'sensor values', acknowledged, lost, doubled };
  }

  async #auditPeople(server: ServerProcess): Promise<Audit> {
    const answer = await server.call('/api/v1/recognition/permitted-faces');
    const text = await answer.text();
    const isThere = (name: string) => text.includes(`"${name}"`);
    const lost = [...this.enrolled].filter((name) => !isThere(name)).length;
    const undead = [...this.removed].filter(isThere).length;
    return {
      kind: 'enrolments and removals',
      acknowledged: this.enrolled.size + this.removed.size,
      lost: lost + undead,
      doubled: 0,
    };
  }
}
