/**
 * Results on their way to the backends: stored before they are sent, kept until somebody took them or they expired. A batch has
 * its id and its bytes from the moment it is stored, so repeats can be told.
 */
import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import type { AttendanceMetrics } from './attendance-metrics.ts';
import { CALLBACK_TIMING, CallbackLane, type CallbackTiming } from './callback-lane.ts';
import type { OutboxStore, WaitingBatch, WaitingCounts } from './outbox-store.ts';
import type { CallbackTarget, Recognition } from './recognition.ts';

export interface OutboxOptions {
  readonly store: OutboxStore;
  readonly apiKey: string;
  readonly expireHours: number;
  readonly metrics: AttendanceMetrics;
  readonly log: Log;
  readonly timing?: CallbackTiming;
  /** Told of each request to a backend. */
  readonly onAttempt?: (origin: string, outcome: 'delivered' | 'refused' | 'failed') => void;
}

export interface SessionDelivery {
  /** Recognitions that the backend took. */
  readonly delivered: number;
  /** Recognitions that wait, in memory or in the store. */
  readonly pending: number;
}

export interface Outbox {
  /** Returns at once; the results are stored within moments and sent right after. */
  put(target: CallbackTarget, recognitions: readonly Recognition[]): void;
  delivery(sessionId: string): SessionDelivery;
  /** Tries to send what a session has left, then forgets its counts; what could not be sent stays in the outbox. */
  finish(target: CallbackTarget, timeoutMs: number): Promise<SessionDelivery>;
  waiting(): Promise<WaitingCounts>;
  /** Stores what is in memory and stops sending. */
  close(): Promise<void>;
}

const MAX_BATCH = 100;
/** Results that wait to be stored while the database is away; beyond it the oldest are lost, and counted. */
const MAX_UNSTORED = 20_000;
const STORE_PAUSE_MS = 1000;
const EXPIRE_EVERY_MS = 60_000;

interface Unstored {
  readonly target: CallbackTarget;
  readonly recognition: Recognition;
}

interface SessionState {
  delivered: number;
  pending: number;
  /** Ends a `finish` that waits: everything is settled, or the backend is not there. */
  settle: (() => void) | null;
}

/** Begins with what an earlier process left behind. */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { store, metrics, log } = options;
  const lanes = new Map<string, CallbackLane>();
  const sessions = new Map<string, SessionState>();
  let unstored: Unstored[] = [];
  let storing: Promise<void> | null = null;
  let closing = false;

  const laneOf = (origin: string): CallbackLane => {
    let lane = lanes.get(origin);
    if (lane === undefined) {
      lane = new CallbackLane(origin, {
        store,
        apiKey: options.apiKey,
        timing: options.timing ?? CALLBACK_TIMING,
        log,
        onAttempt: (outcome, seconds) => {
          metrics.callbackAttempts.inc({ outcome });
          metrics.callbackSeconds.observe({ outcome }, seconds);
          options.onAttempt?.(origin, outcome);
        },
        onSettled,
      });
      lanes.set(origin, lane);
    }
    return lane;
  };

  function onSettled(batch: WaitingBatch, outcome: 'delivered' | 'refused' | 'failed'): void {
    const session = sessions.get(batch.sessionId);
    if (outcome === 'failed') {
      session?.settle?.();
      return;
    }
    metrics.callbacks.inc({ outcome }, batch.recognitions);
    if (session === undefined) return;
    session.pending -= batch.recognitions;
    if (outcome === 'delivered') session.delivered += batch.recognitions;
    if (session.pending <= 0) session.settle?.();
  }

  async function storeAll(): Promise<void> {
    while (unstored.length > 0) {
      const group = takeBatch();
      const { target } = group[0]!;
      const batchId = randomUUID();
      const { origin } = new URL(target.callbackUrl);
      const batch = {
        batchId,
        sessionId: target.sessionId,
        callbackUrl: target.callbackUrl,
        origin,
        body: bodyOf(target, batchId, group),
        recognitions: group.length,
        expiresAt: new Date(Date.now() + options.expireHours * 3_600_000),
      };
      for (;;) {
        try {
          await store.add(batch);
          break;
        } catch (error) {
          log.error({ err: error, waiting: unstored.length }, 'results cannot be stored now');
          if (closing) {
            lose([...group, ...unstored.splice(0)]);
            return;
          }
          await new Promise((resolve) => setTimeout(resolve, STORE_PAUSE_MS));
        }
      }
      laneOf(origin).wake();
    }
  }

  /** The oldest result and all others of its session that fit. */
  function takeBatch(): Unstored[] {
    const { sessionId } = unstored[0]!.target;
    const group: Unstored[] = [];
    const rest: Unstored[] = [];
    for (const entry of unstored) {
      if (group.length < MAX_BATCH && entry.target.sessionId === sessionId) group.push(entry);
      else rest.push(entry);
    }
    unstored = rest;
    return group;
  }

  function lose(lost: readonly Unstored[]): void {
    metrics.callbacks.inc({ outcome: 'dropped' }, lost.length);
    for (const { target } of lost) {
      const session = sessions.get(target.sessionId);
      if (session) session.pending--;
    }
  }

  function startStoring(): void {
    storing ??= storeAll()
      .catch((error: unknown) => log.error({ err: error }, 'results could not be stored'))
      .finally(() => {
        storing = null;
        if (unstored.length > 0 && !closing) startStoring();
      });
  }

  async function expire(): Promise<void> {
    const expired = await store.expire();
    for (const { batchId, sessionId, recognitions } of expired) {
      metrics.callbacks.inc({ outcome: 'expired' }, recognitions);
      log.error({ batchId, recognitions }, 'results expired before the backend took them');
      const session = sessions.get(sessionId);
      if (session) session.pending -= recognitions;
    }
    const left = new Set(await store.origins());
    for (const origin of left) laneOf(origin).wake();
  }

  await store.releaseAbandoned();
  await expire();
  const expiryTimer = setInterval(() => {
    expire().catch((error: unknown) => log.error({ err: error }, 'the outbox could not be looked through'));
  }, EXPIRE_EVERY_MS);
  expiryTimer.unref();

  return {
    put(target, recognitions) {
      if (recognitions.length === 0) return;
      const session = sessions.get(target.sessionId) ?? { delivered: 0, pending: 0, settle: null };
      sessions.set(target.sessionId, session);
      session.pending += recognitions.length;
      for (const recognition of recognitions) unstored.push({ target, recognition });
      if (unstored.length > MAX_UNSTORED) {
        lose(unstored.splice(0, unstored.length - MAX_UNSTORED));
        log.error({ limit: MAX_UNSTORED }, 'results were lost: the database has been away for too long');
      }
      startStoring();
    },

    delivery(sessionId) {
      const { delivered, pending } = sessions.get(sessionId) ?? { delivered: 0, pending: 0 };
      return { delivered, pending };
    },

    async finish(target, timeoutMs) {
      const session = sessions.get(target.sessionId);
      if (session === undefined) return { delivered: 0, pending: 0 };
      if (session.pending > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        session.settle = resolve;
        const timer = setTimeout(resolve, timeoutMs);
        laneOf(new URL(target.callbackUrl).origin).hurry();
        await promise;
        clearTimeout(timer);
      }
      sessions.delete(target.sessionId);
      return { delivered: session.delivered, pending: Math.max(0, session.pending) };
    },

    waiting: () => store.waiting(),

    async close() {
      closing = true;
      clearInterval(expiryTimer);
      await storing;
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}

function bodyOf({ slotId, roomId }: CallbackTarget, batchId: string, group: readonly Unstored[]): string {
  return JSON.stringify({
    slotId,
    roomId,
    batchId,
    recognitions: group.map(({ recognition }) => recognition),
  });
}
