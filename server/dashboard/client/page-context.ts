/** What every view may use: the socket, what can be seen, and short messages to the operator. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Recognitions } from './recognitions.ts';
import type { ConnectionState, PageSocket, ServerMessage } from './socket.ts';
import type { Sources } from './sources.ts';

export interface Page {
  readonly socket: PageSocket;
  readonly sources: Sources;
  readonly recognitions: Recognitions;
  /** Says something for a few seconds; what went wrong stays until it is closed. */
  readonly say: (text: string, kind?: 'good' | 'bad') => void;
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error('a view outside of the page');
  return page;
}

/** Listens as long as the component is there; the listener may change with every rendering. */
export function useMessages<Type extends ServerMessage['type']>(
  type: Type,
  listener: (message: Extract<ServerMessage, { type: Type }>) => void,
  dependencies: readonly unknown[] = [],
): void {
  const { socket } = usePage();
  useEffect(() => socket.on(type, listener), [socket, type, ...dependencies]);
}

export function useConnection(): ConnectionState {
  const { socket } = usePage();
  const [state, setState] = useState(socket.state);
  useEffect(() => {
    // It may have opened between the first drawing and this moment.
    setState(socket.state);
    return socket.onState(setState);
  }, [socket]);
  return state;
}
