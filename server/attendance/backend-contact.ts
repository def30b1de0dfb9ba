/** Whether the attendance backend answers, by the calls that are made to it anyway: callbacks and look-ups of cameras. */
import { hostOf } from './url-policy.ts';

/** `delivered`: it took or told what the call was about; `refused`: it answered, and would not; `failed`: it is away or broken. */
export type ContactOutcome = 'delivered' | 'refused' | 'failed';

export interface BackendContact {
  note(url: string, outcome: ContactOutcome): void;
  status(): BackendStatus;
}

export interface BackendStatus {
  /** Whether its last call was answered, and that not long ago. */
  readonly connected: boolean;
  /** When it last took or told something; null where it has not since the start. */
  readonly lastSyncAt: Date | null;
}

/** A session in a room where somebody is known calls every few seconds; after this long nothing is known any more. */
const FRESH_MS = 5 * 60_000;

/** @param backendUrl where one is set, other hosts that callbacks go to do not count */
export function createBackendContact(
  backendUrl: string | null,
  nowMs: () => number = Date.now,
): BackendContact {
  const host = backendUrl === null ? null : hostOf(new URL(backendUrl));
  let answeredAtMs: number | null = null;
  let syncedAtMs: number | null = null;
  return {
    note(url, outcome) {
      if (host !== null && hostOf(new URL(url)) !== host) return;
      answeredAtMs = outcome === 'failed' ? null : nowMs();
      if (outcome === 'delivered') syncedAtMs = nowMs();
    },
    status: () => ({
      connected: answeredAtMs !== null && nowMs() - answeredAtMs <= FRESH_MS,
      lastSyncAt: syncedAtMs === null ? null : new Date(syncedAtMs),
    }),
  };
}
