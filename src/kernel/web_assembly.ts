/** As much of https://webassembly.github.io/spec/js-api/ as is used here: neither ES2023 nor @types/node 20 declares it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Imports) => { readonly exports: unknown };
};

type Imports = Readonly<Record<string, Readonly<Record<string, (...args: never[]) => number>>>>;

/** The memory that a module exports. Growing it makes another buffer of it. */
export interface ModuleMemory {
  readonly buffer: ArrayBuffer;
  /** By pages of 64 KiB. */
  grow(pages: number): number;
}

/**
 * Compiles a module.
 *
 * @param module in base64
 * @returns what it exports
 */
export function instantiate(module: string, imports: Imports = {}): unknown {
  const bytes = Uint8Array.from(atob(module), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}
