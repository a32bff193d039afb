import { RequestError } from '../errors.ts';

/** What a column is kept at between requests, in slots. */
const KEPT_SLOTS = 4 * 1024;

/** A column of 32-bit integers that grows, so that what a message repeats makes no object each. Its memory is reused from request to request. */
export class SlotColumn {
  slots = new Int32Array(KEPT_SLOTS);
  /** Slots in use. */
  length = 0;
  #maxSlots = 0;

  /** Gets ready for another request, which must not take more than `maxSlots`. Memory that a rare large request needed is given back. */
  reset(maxSlots: number): void {
    this.#maxSlots = maxSlots;
    this.length = 0;
    if (this.slots.length > KEPT_SLOTS) this.slots = new Int32Array(KEPT_SLOTS);
  }

  /**
   * Takes `count` more slots into use; they hold whatever was there.
   *
   * @returns the first of them
   * @throws RequestError lines_too_large
   */
  take(count: number): number {
    const at = this.length;
    this.length = at + count;
    if (this.length > this.slots.length) this.#grow();
    return at;
  }

  #grow(): void {
    if (this.slots.length >= this.#maxSlots) {
      throw new RequestError('lines_too_large', 'the request repeats a field too many times');
    }
    const larger = new Int32Array(2 * this.slots.length);
    larger.set(this.slots);
    this.slots = larger;
  }
}
