import { ConfigError } from '../errors.ts';
import type { Tree } from './yaml_tree.ts';

// What Go's yaml.v2 takes for null, true and false.
const NULLS = ['', '~', 'null', 'Null', 'NULL'];
const TRUE = ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'];
const FALSE = ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'];

/** A value and where it stands, such as `tls_server_config.cert_file`. Reading it as what it is not throws a ConfigError that says where. */
export class Value {
  readonly path: string;
  readonly #tree: Tree | undefined;

  constructor(path: string, tree: Tree | undefined) {
    this.path = path;
    this.#tree = tree;
  }

  /** Absent or null: what it sets is then as if it were not there. */
  get isNull(): boolean {
    const tree = this.#tree;
    return tree === undefined || (tree.kind === 'scalar' && tree.isPlain && NULLS.includes(tree.text));
  }

  /** Any scalar is a text, as it is written; null is the empty one. */
  text(): string {
    if (this.isNull) return '';
    if (this.#tree?.kind !== 'scalar') throw this.error('has to be a text');
    return this.#tree.text;
  }

  /** @param preset what it is when it is absent; null is false */
  boolean(preset: boolean): boolean {
    if (this.#tree === undefined) return preset;
    if (this.isNull) return false;
    if (this.#tree.kind === 'scalar' && this.#tree.isPlain) {
      if (TRUE.includes(this.#tree.text)) return true;
      if (FALSE.includes(this.#tree.text)) return false;
    }
    throw this.error('has to be true or false');
  }

  list(): readonly Value[] {
    if (this.isNull) return [];
    if (this.#tree?.kind !== 'list') throw this.error('has to be a list');
    return this.#tree.items.map((item, index) => new Value(`${this.path}[${index}]`, item));
  }

  /** The fields of a section, all of which are known. */
  section<const Names extends readonly string[]>(names: Names): (name: Names[number]) => Value {
    const entries = this.entries();
    for (const name of entries.keys()) {
      if (!names.includes(name)) throw this.error(`does not know ${name}; it knows ${names.join(', ')}`);
    }
    return (name) => entries.get(name) ?? new Value(this.#pathOf(name), undefined);
  }

  /** A map by the texts of its keys, each of which is given once. */
  entries(): ReadonlyMap<string, Value> {
    const values = new Map<string, Value>();
    if (this.isNull) return values;
    if (this.#tree?.kind !== 'map') throw this.error('has to be a map, of keys and values');
    const own = new Set<string>();
    for (const { key, value, isMerged } of this.#tree.entries) {
      const name = new Value(this.#pathOf('(a key)'), key).text();
      if (!isMerged && own.has(name)) throw new ConfigError(`${this.#pathOf(name)}: is given twice`);
      if (!isMerged) own.add(name);
      values.set(name, new Value(this.#pathOf(name), value));
    }
    return values;
  }

  error(problem: string): ConfigError {
    return new ConfigError(`${this.path === '' ? 'the file' : this.path}: ${problem}`);
  }

  #pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
