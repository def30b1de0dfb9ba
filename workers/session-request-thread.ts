/** The file that Piscina starts in the thread that reads large bodies. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { SessionRequestAnswer, SessionRequestTask } from './protocol.ts';
import { readSessionRequest } from './session-request.ts';

export default function run(task: SessionRequestTask): unknown {
  const answer: SessionRequestAnswer = readSessionRequest(task);
  if (answer.kind === 'refused') return answer;
  const { embeddings, usable } = answer.request;
  return move({
    [transferableSymbol as symbol]: [embeddings.buffer, usable.buffer],
    [valueSymbol as symbol]: answer,
  } as never);
}
