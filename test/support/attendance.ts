/** Parts of the attendance API for tests: an outbox over a real database, and results to put into it. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import {
  type AttendanceMetrics,
  createAttendanceMetrics,
} from '../../server/attendance/attendance-metrics.ts';
import type { CallbackTiming } from '../../server/attendance/callback-lane.ts';
import { type Outbox, openOutbox } from '../../server/attendance/outbox.ts';
import type { CallbackTarget, Recognition } from '../../server/attendance/recognition.ts';
import { createOutboxStore } from '../../server/store/outbox.ts';
import type { Database } from '../../server/store/pool.ts';

export const TEST_KEY = 'test-key-0123456789abcdef';

/** The pauses of a real outbox are seconds. */
export const FAST: CallbackTiming = {
  timeoutMs: 1000,
  attemptPausesMs: [10, 20],
  roundPauseMs: 50,
  longestRoundPauseMs: 200,
};

export interface OpenedOutbox extends Outbox {
  readonly metrics: AttendanceMetrics;
}

export async function openTestOutbox(
  database: Database,
  { timing = FAST, expireHours = 24 }: { timing?: CallbackTiming; expireHours?: number } = {},
): Promise<OpenedOutbox> {
  const store = createOutboxStore(database);
  const metrics = testMetrics(() => store.waiting());
  const log = pino({ level: 'silent' });
  const outbox = await openOutbox({ store, apiKey: TEST_KEY, expireHours, metrics, log, timing });
  return { ...outbox, metrics };
}

export function testMetrics(
  waiting = async () => ({ batches: 0, recognitions: 0, oldestAgeS: null as number | null }),
): AttendanceMetrics {
  return createAttendanceMetrics(new Registry(), {
    activeSessions: () => 0,
    cameras: () => ({ total: 0, active: 0 }),
    waiting,
  });
}

export const target = (callbackUrl: string, slotId = 1): CallbackTarget => ({
  sessionId: randomUUID(),
  slotId,
  roomId: 7,
  callbackUrl,
});

export const recognition = (userId: number): Recognition => ({
  userId,
  fullName: 'Tran Thi B',
  rollNumber: `HE${userId}`,
  cameraId: 1,
  cameraName: 'Camera A101-01',
  similarity: 0.91,
  confidence: 0.91,
  quality: 0.8,
  box: { x: 1, y: 2, width: 100, height: 120 },
  embeddingVersion: 1,
  recognizedAt: '2024-10-19T08:00:00Z',
});

export const recognitions = (count: number, first = 1): Recognition[] =>
  Array.from({ length: count }, (_, i) => recognition(first + i));
