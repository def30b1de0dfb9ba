/** What is odd about the students of a session: counted by kind, with the first few of each. */
import type { SessionWarning } from './protocol.ts';

const NAMED_STUDENTS = 20;

const MESSAGES: Readonly<Record<SessionWarning['code'], string>> = {
  EMBEDDING_NOT_UNIT_LENGTH:
    'Embedding vectors are not of length 1, as every embedding of this service is; they were brought to it',
  EMBEDDING_OF_ANOTHER_MODEL:
    'Embedding vectors cannot come from the model in use; their similarities mean nothing. Generate them again',
  EMBEDDING_ZERO: 'Embedding vectors are all zeros; these students cannot be recognised. Generate them again',
  DUPLICATE_STUDENT: 'Students stand more than once in the list; all their vectors count for one person',
};

export class WarningList {
  readonly #found = new Map<SessionWarning['code'], { students: number; userIds: number[] }>();

  add(code: SessionWarning['code'], userId: number): void {
    const entry = this.#found.get(code) ?? { students: 0, userIds: [] };
    this.#found.set(code, entry);
    entry.students++;
    if (entry.userIds.length < NAMED_STUDENTS) entry.userIds.push(userId);
  }

  list(): SessionWarning[] {
    return [...this.#found].map(([code, entry]) => ({ code, message: MESSAGES[code], ...entry }));
  }
}
