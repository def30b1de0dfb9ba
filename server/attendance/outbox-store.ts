/** What the outbox asks of the database; store/outbox.ts answers. Types only. */

export interface NewBatch {
  /** UUID; the backend drops repeats by it. */
  readonly batchId: string;
  readonly sessionId: string;
  readonly callbackUrl: string;
  /** Scheme, host and port of the URL: whatever goes there waits in one line. */
  readonly origin: string;
  /** The whole body of the request, JSON: every attempt sends the same bytes. */
  readonly body: string;
  readonly recognitions: number;
  readonly expiresAt: Date;
}

export interface WaitingBatch {
  readonly batchId: string;
  readonly sessionId: string;
  readonly callbackUrl: string;
  readonly body: string;
  readonly recognitions: number;
  /** Rounds of attempts that failed before. */
  readonly failedRounds: number;
}

export interface WaitingCounts {
  readonly batches: number;
  readonly recognitions: number;
  /** Null where nothing waits. */
  readonly oldestAgeS: number | null;
}

export interface OutboxStore {
  add(batch: NewBatch): Promise<void>;
  /** Takes up to `limit` batches that are due, the oldest first; nobody else gets them for `claimMs`. */
  claim(origin: string, limit: number, claimMs: number): Promise<WaitingBatch[]>;
  /** Delivered, refused for good, or given up: gone. */
  remove(batchId: string): Promise<void>;
  /** Not before `pauseMs` from now. */
  postpone(batchId: string, pauseMs: number): Promise<void>;
  /** Gives claimed batches back untouched. */
  release(batchIds: readonly string[]): Promise<void>;
  /** Everything that waits for this place may be tried at once. */
  hurry(origin: string): Promise<void>;
  /** Milliseconds until the next batch for this place may be claimed, 0 where one may be now, null without any. */
  nextDueMs(origin: string): Promise<number | null>;
  /** Removes what has expired. */
  expire(): Promise<
    { readonly batchId: string; readonly sessionId: string; readonly recognitions: number }[]
  >;
  origins(): Promise<string[]>;
  waiting(): Promise<WaitingCounts>;
  /** After a start: what a process that is gone had claimed is free again, where that can be told. */
  releaseAbandoned(): Promise<void>;
}
