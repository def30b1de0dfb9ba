/** Commands that wait for the next heartbeat of their device: bounded, stored before they are acknowledged, handed out once. */
import { ServerError } from '../errors.ts';
import type { DeviceStore, QueuedCommand } from './device-store.ts';

export type CommandStore = Pick<DeviceStore, 'queueCommand' | 'takeCommands' | 'countCommands'>;

export interface CommandTotals {
  /** Handed out to their device. */
  readonly sent: number;
  /** Refused, or removed together with their device. */
  readonly failed: number;
}

export interface CommandQueueOptions {
  readonly store: CommandStore;
  readonly waiting: readonly QueuedCommand[];
  readonly totals: CommandTotals;
  /** A command that was refused because too many wait. */
  readonly onRefused?: () => void;
  readonly onStoreFailure?: (error: unknown) => void;
}

export type HandedOutCommand = Omit<QueuedCommand, 'deviceId'>;

export interface HandedOut {
  readonly commands: readonly HandedOutCommand[];
  /** Puts them into the queue again: for an answer that did not reach the board. */
  readonly giveBack: () => Promise<void>;
}

export const MAX_COMMANDS_PER_DEVICE = 32;
const RETRY_AFTER_S = 60;
const FOREIGN_KEY_VIOLATION = '23503';

export class CommandQueue {
  readonly #options: CommandQueueOptions;
  /** Of each device, oldest first. */
  readonly #waiting = new Map<string, QueuedCommand[]>();
  /** Counts on their way to the database: nobody waits for them but at the end. */
  readonly #counting = new Set<Promise<unknown>>();
  #sent: number;
  #failed: number;

  constructor(options: CommandQueueOptions) {
    this.#options = options;
    this.#sent = options.totals.sent;
    this.#failed = options.totals.failed;
    for (const command of options.waiting) this.#append(command);
  }

  get totals(): CommandTotals {
    return { sent: this.#sent, failed: this.#failed };
  }

  /**
   * @returns false where the device is not in the database
   * @throws {ServerError} 429 where too many wait for the device already
   */
  async add(deviceId: string, command: string, params: unknown, createdMs: number): Promise<boolean> {
    const { store } = this.#options;
    if ((this.#waiting.get(deviceId)?.length ?? 0) >= MAX_COMMANDS_PER_DEVICE) {
      this.countFailed(1);
      this.#options.onRefused?.();
      throw commandsFull(deviceId);
    }
    try {
      const id = await store.queueCommand(deviceId, command, params, createdMs);
      this.#append({ id, deviceId, command, params, createdMs });
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== FOREIGN_KEY_VIOLATION) throw error;
      this.countFailed(1);
      return false;
    }
  }

  /** What waits for the device, deleted from the queue and from the database. */
  async handOut(deviceId: string): Promise<HandedOut> {
    const commands = this.#waiting.get(deviceId) ?? [];
    if (commands.length === 0) return { commands, giveBack: async () => {} };
    const { store } = this.#options;
    this.#waiting.delete(deviceId);
    try {
      await store.takeCommands(commands.map(({ id }) => id));
    } catch (error) {
      this.#waiting.set(deviceId, [...commands, ...(this.#waiting.get(deviceId) ?? [])]);
      throw error;
    }
    this.#sent += commands.length;
    return {
      commands: commands.map(({ deviceId: _, ...command }) => command),
      giveBack: async () => {
        this.#sent -= commands.length;
        await store.countCommands('sent', -commands.length);
        for (const { command, params, createdMs } of commands)
          await this.add(deviceId, command, params, createdMs);
      },
    };
  }

  /** The device is gone, in the database with its commands. */
  drop(deviceId: string): void {
    this.countFailed(this.#waiting.get(deviceId)?.length ?? 0);
    this.#waiting.delete(deviceId);
  }

  countFailed(commands: number): void {
    if (commands === 0) return;
    this.#failed += commands;
    const { store, onStoreFailure } = this.#options;
    const counted = store
      .countCommands('failed', commands)
      .catch((error: unknown) => onStoreFailure?.(error))
      .finally(() => this.#counting.delete(counted));
    this.#counting.add(counted);
  }

  /** Ends when every count is stored, or its failure told. */
  async settle(): Promise<void> {
    await Promise.all(this.#counting);
  }

  #append(command: QueuedCommand): void {
    const queue = this.#waiting.get(command.deviceId);
    if (queue) queue.push(command);
    else this.#waiting.set(command.deviceId, [command]);
  }
}

const commandsFull = (deviceId: string) =>
  new ServerError(
    429,
    'COMMANDS_FULL',
    `${MAX_COMMANDS_PER_DEVICE} commands wait for ${deviceId} already; try again after its next heartbeat`,
    { retryAfterS: RETRY_AFTER_S },
  );
