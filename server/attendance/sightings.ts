/** Counts in how many scans a student was seen lately, so that one scan alone does not decide where more are asked for. */

/** Sightings count together while they lie within this many scan intervals for each that is asked for. */
const INTERVALS_PER_SIGHTING = 4;

export class Sightings {
  readonly #needed: number;
  readonly #windowMs: number;
  /** When each student was last seen, newest last, at most as many as are needed. */
  readonly #seenAtMs = new Map<number, number[]>();

  constructor(needed: number, scanIntervalS: number) {
    this.#needed = needed;
    this.#windowMs = needed * INTERVALS_PER_SIGHTING * scanIntervalS * 1000;
  }

  /** Counts a scan that saw the student; true where enough scans agree by now. */
  add(student: number, atMs: number): boolean {
    if (this.#needed === 1) return true;
    const recent = (this.#seenAtMs.get(student) ?? []).filter((seenMs) => atMs - seenMs <= this.#windowMs);
    recent.push(atMs);
    this.#seenAtMs.set(student, recent.slice(-this.#needed));
    return recent.length >= this.#needed;
  }
}
