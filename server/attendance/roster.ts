/** The students of a session: who they are, and their embeddings in memory that the threads share. */
import { EmbeddingIndexWriter } from '../../kernels/embedding-index.ts';
import type { IndexReference, SessionRequest, SessionStudent } from '../../workers/protocol.ts';

const DIMENSIONS = 512;
/** About 1 ms: others get their turn in between. */
const ROWS_AT_A_TIME = 200;

export class Roster {
  /** Their numbers in the index are their places here. */
  readonly students: readonly SessionStudent[];
  readonly #index: EmbeddingIndexWriter;

  private constructor(students: readonly SessionStudent[], index: EmbeddingIndexWriter) {
    this.students = students;
    this.#index = index;
  }

  static async create({ students, embeddings, usable }: SessionRequest): Promise<Roster> {
    const index = EmbeddingIndexWriter.create(Math.max(1, usable.length));
    for (const [row, student] of usable.entries()) {
      index.append(student, embeddings.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS));
      if (row % ROWS_AT_A_TIME === ROWS_AT_A_TIME - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    return new Roster(students, index);
  }

  get reference(): IndexReference {
    return { id: this.#index.id, memory: this.#index.memory };
  }

  /** Overwrites the embeddings. Call it when no thread searches them any more. */
  clear(): void {
    this.#index.clear();
  }
}
