import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBroadcaster, type Subscriber } from '../../../server/live/broadcast.ts';
import type { Message } from '../../../server/live/messages.ts';

/** A client that reads only when the test says so. */
class Reader implements Subscriber {
  received: string[] = [];
  ended = false;
  maySee?: (message: Message) => boolean;
  #waiting: string[] = [];

  constructor(maySee?: (message: Message) => boolean) {
    this.maySee = maySee;
  }
  send(text: Buffer): void {
    this.#waiting.push(text.toString());
  }
  bufferedBytes(): number {
    return this.#waiting.join('').length;
  }
  terminate(): void {
    this.ended = true;
  }
  read(): number[] {
    this.received.push(...this.#waiting.splice(0));
    return this.received.map((text) => (JSON.parse(text) as { timestamp: number }).timestamp);
  }
}

const message = (timestamp: number, text = ''): Message => ({
  type: 'sensor-data',
  data: { text },
  timestamp,
});

test('everybody hears what they may see', () => {
  const broadcaster = createBroadcaster({ bufferBytes: 1000 });
  const all = new Reader();
  const even = new Reader((seen) => 'timestamp' in seen && seen.timestamp % 2 === 0);
  broadcaster.subscribe(all);
  const leave = broadcaster.subscribe(even);
  for (let i = 0; i < 4; i++) broadcaster.publish(message(i));
  leave();
  broadcaster.publish(message(4));
  assert.deepEqual(all.read(), [0, 1, 2, 3, 4]);
  assert.deepEqual(even.read(), [0, 2]);
  assert.equal(broadcaster.size, 1);
});

test('a client that does not read misses messages, counted, and keeps its connection when it reads again in time', () => {
  let nowMs = 0;
  let missed = 0;
  const broadcaster = createBroadcaster({
    bufferBytes: 150,
    slowAfterMs: 5000,
    monotonicMs: () => nowMs,
    onMissed: () => missed++,
  });
  const slow = new Reader();
  const quick = new Reader();
  broadcaster.subscribe(slow);
  broadcaster.subscribe(quick);
  for (let i = 0; i < 10; i++) {
    broadcaster.publish(message(i));
    quick.read();
    nowMs += 400;
  }
  assert.ok(slow.bufferedBytes() <= 150);
  assert.equal(slow.read().length + missed, 10);
  assert.equal(quick.read().length, 10);
  nowMs += 10_000;
  broadcaster.publish(message(10));
  assert.equal(slow.read().at(-1), 10);
  assert.equal(slow.ended, false);
});

test('a client that goes on missing messages is dropped', () => {
  let nowMs = 0;
  let dropped = 0;
  const broadcaster = createBroadcaster({
    bufferBytes: 100,
    slowAfterMs: 5000,
    monotonicMs: () => nowMs,
    onDropped: () => dropped++,
  });
  const slow = new Reader();
  broadcaster.subscribe(slow);
  for (let i = 0; i < 20 && !slow.ended; i++) {
    broadcaster.publish(message(i));
    nowMs += 1000;
  }
  assert.equal(slow.ended, true);
  assert.equal(dropped, 1);
  assert.equal(broadcaster.size, 0);
});

test('a message larger than the buffer of a client is missed by it, and is no reason to drop it at once', () => {
  const broadcaster = createBroadcaster({ bufferBytes: 1000 });
  const client = new Reader();
  broadcaster.subscribe(client);
  broadcaster.publish(message(1, 'x'.repeat(2000)));
  broadcaster.publish(message(2));
  assert.deepEqual(client.read(), [2]);
});
