/** Takes in the bodies of requests whole, within a limit for each and a limit for all of them together. */
import { bodyIncomplete, bodyTooLarge, overloaded, unsupportedMediaType } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Context } from './route.ts';

export interface BodyReader {
  /**
   * The whole body, in an ArrayBuffer of its own that may be transferred to a thread.
   * @throws {ServerError} 413 over the limit, 429 where the memory for bodies is taken, 400 where the body was cut off
   */
  read(ctx: Context, limitBytes?: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface BodyReaderOptions {
  readonly limitBytes: number;
  /** For all requests that are being received or answered. */
  readonly memoryBytes: number;
  readonly metrics: Metrics;
}

export function createBodyReader(options: BodyReaderOptions): BodyReader {
  const { memoryBytes, metrics } = options;
  let heldBytes = 0;
  const hold = (bytes: number) => {
    heldBytes += bytes;
    metrics.bodyBytes.set(heldBytes);
  };

  return {
    async read(ctx, limitBytes = options.limitBytes) {
      const { req, res } = ctx;
      const declaredBytes = ctx.request.length;
      const encoding = ctx.get('Content-Encoding');
      if (encoding !== '' && encoding !== 'identity')
        throw unsupportedMediaType('a body without Content-Encoding', encoding);
      if (declaredBytes !== undefined && declaredBytes > limitBytes) throw bodyTooLarge(limitBytes);
      if (heldBytes + (declaredBytes ?? 0) > memoryBytes) throw noMemory(metrics);
      // Node leaves this to us (http/server.ts), so that a body that is not wanted is never sent.
      if (/^100-continue$/i.test(ctx.get('Expect'))) res.writeContinue();

      // What is counted is what has arrived: a client that announces much and sends nothing takes nothing from others.
      let receivedBytes = 0;
      res.once('close', () => hold(-receivedBytes));
      const whole = declaredBytes === undefined ? null : new Uint8Array(declaredBytes);
      const chunks: Buffer[] = [];
      await new Promise<void>((resolve, reject) => {
        const settle = (error?: Error) => {
          req.off('data', onData).off('end', onEnd).off('close', onCutOff).off('error', onCutOff);
          // Whoever answers decides what becomes of the rest of the body.
          req.pause();
          if (error) reject(error);
          else resolve();
        };
        const onData = (chunk: Buffer) => {
          if (receivedBytes + chunk.length > limitBytes) return settle(bodyTooLarge(limitBytes));
          if (heldBytes + chunk.length > memoryBytes) return settle(noMemory(metrics));
          whole?.set(chunk, receivedBytes);
          if (whole === null) chunks.push(chunk);
          receivedBytes += chunk.length;
          hold(chunk.length);
        };
        const onEnd = () => settle();
        const onCutOff = () => settle(bodyIncomplete(receivedBytes, declaredBytes));
        req.on('data', onData).once('end', onEnd).once('close', onCutOff).once('error', onCutOff);
      });
      return whole ?? concatenate(chunks, receivedBytes);
    },
  };
}

function noMemory(metrics: Metrics) {
  metrics.queueDrops.inc({ queue: 'bodies', reason: 'full' });
  return overloaded(1);
}

function concatenate(chunks: readonly Buffer[], lengthBytes: number): Uint8Array<ArrayBuffer> {
  // Not Buffer.concat: a small Buffer lies in a pool that it shares with others and must not be transferred.
  const whole = new Uint8Array(lengthBytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
