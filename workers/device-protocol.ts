/** What a worker thread and the thread of a GPU say to each other, over a port of their own. Types only. */
import type { MessagePort } from 'node:worker_threads';
import type { ProviderName } from './protocol.ts';
import type { GraphOutputs } from './session.ts';

/** Sent once to the device's thread, with the port that everything else goes over. */
export interface DeviceGreeting {
  readonly kind: 'facepool-device-port';
  readonly port: MessagePort;
}

export type DeviceRequest =
  | {
      readonly kind: 'open';
      readonly id: number;
      /** Graphs of one name are the same graph: the first model that comes is opened. */
      readonly name: string;
      readonly model: Uint8Array | string;
      readonly outputs: readonly string[] | null;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly name: string;
      /** Moved to the device's thread. */
      readonly input: Float32Array;
      readonly shape: readonly number[];
    };

export type DeviceAnswer =
  | { readonly id: number; readonly kind: 'opened' }
  | { readonly id: number; readonly kind: 'ran'; readonly outputs: GraphOutputs }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

/** What the device's thread is told when it starts. */
export interface DeviceSetup {
  readonly provider: ProviderName;
}
