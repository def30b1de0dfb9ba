/** The request that code works for, however deep it was called: this is how its id reaches every line of the log and every thread. */
import { AsyncLocalStorage } from 'node:async_hooks';

const requests = new AsyncLocalStorage<string>();

/** Runs `work`, and whatever it starts, on behalf of a request. */
export const onBehalfOf = <T>(requestId: string, work: () => T): T => requests.run(requestId, work);

/** Undefined outside of requests: timers, cameras, the start. */
export const currentRequestId = (): string | undefined => requests.getStore();
