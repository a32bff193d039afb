/**
 * What waits for its turn, by whom it is from: turns go round between those who wait, and when there is no room the one who has most waiting
 * makes it, of several the one whose turn is last. So nobody's flood keeps the others out.
 */
export class FairQueue<Item> {
  readonly #capacity: number;
  /** Whose turn is next comes first. */
  readonly #waiting = new Map<string, Item[]>();
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns what had to go for it, which may be itself */
  push(from: string, item: Item): Item | undefined {
    const own = this.#waiting.get(from);
    if (own) own.push(item);
    else this.#waiting.set(from, [item]);
    this.#size++;
    return this.#size > this.#capacity ? this.#dropOne() : undefined;
  }

  shift(): Item | undefined {
    const next = this.#waiting.entries().next();
    if (next.done === true) return undefined;
    const [from, items] = next.value;
    const item = items.shift();
    this.#waiting.delete(from);
    if (items.length > 0) this.#waiting.set(from, items);
    this.#size--;
    return item;
  }

  #dropOne(): Item | undefined {
    let longest: [string, Item[]] | undefined;
    for (const entry of this.#waiting) if (!longest || entry[1].length >= longest[1].length) longest = entry;
    const [from, items] = longest!;
    const item = items.pop();
    if (items.length === 0) this.#waiting.delete(from);
    this.#size--;
    return item;
  }
}
