/** The symbols of a request of remote write 2.0, each once; the first is "". */
export class SymbolTable {
  readonly #refs = new Map([['', 0]]);

  refOf(text: string): number {
    const ref = this.#refs.get(text) ?? this.#refs.size;
    this.#refs.set(text, ref);
    return ref;
  }

  bytes(): Uint8Array[] {
    return Array.from(this.#refs.keys(), (text) => new TextEncoder().encode(text));
  }
}
