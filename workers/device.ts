/** The worker threads' side of a GPU: graphs that are run by the one thread that owns the device. */
import { MessageChannel, postMessageToThread } from 'node:worker_threads';
import type { DeviceAnswer, DeviceRequest } from './device-protocol.ts';
import type { ProviderName } from './protocol.ts';
import { type GraphOpener, type GraphOutputs, ProviderError } from './session.ts';

interface Pending {
  readonly resolve: (answer: DeviceAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens a port to the device's thread; the graphs behave like local ones.
 * @throws ProviderError where that thread does not listen
 */
export async function createDeviceOpener(
  provider: ProviderName,
  deviceThreadId: number,
): Promise<GraphOpener> {
  const { port1: port, port2 } = new MessageChannel();
  const pending = new Map<number, Pending>();
  let lastId = 0;
  port.on('message', (answer: DeviceAnswer) => {
    pending.get(answer.id)?.resolve(answer);
    pending.delete(answer.id);
  });
  port.on('close', () => {
    for (const { reject } of pending.values())
      reject(new ProviderError(`the thread of ${provider} has ended`));
    pending.clear();
  });
  try {
    await postMessageToThread(deviceThreadId, { kind: 'facepool-device-port', port: port2 }, [port2]);
  } catch (error) {
    throw new ProviderError(`the thread of ${provider} cannot be reached`, { cause: error });
  }

  async function ask(request: DeviceRequest, transfer: ArrayBuffer[]): Promise<DeviceAnswer> {
    const answered = new Promise<DeviceAnswer>((resolve, reject) =>
      pending.set(request.id, { resolve, reject }),
    );
    port.postMessage(request, transfer);
    const answer = await answered;
    if (answer.kind === 'failed') throw new ProviderError(answer.message);
    return answer;
  }

  return {
    provider,
    async open(name, model, outputs) {
      await ask({ kind: 'open', id: ++lastId, name, model, outputs: outputs ?? null }, []);
      return {
        async run(input, shape): Promise<GraphOutputs> {
          // The caller fills its tensor again while the device may still wait with this one.
          const moved = new Float32Array(input);
          const answer = await ask({ kind: 'run', id: ++lastId, name, input: moved, shape }, [moved.buffer]);
          return answer.kind === 'ran' ? answer.outputs : {};
        },
        batches: true,
        // The device's thread keeps its graphs until it ends: another worker may still use them.
        release: async () => {},
      };
    },
  };
}
