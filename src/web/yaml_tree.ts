import { isAlias, isMap, isScalar, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { ConfigError } from '../errors.ts';

/** A value of YAML as it is written: what a scalar means is the reader's to say. */
export type Tree = Scalar | List | Mapping;

export interface Scalar {
  readonly kind: 'scalar';
  readonly text: string;
  /** Unquoted, and not tagged as a string: such a text may stand for null or for true and false. */
  readonly isPlain: boolean;
}

export interface List {
  readonly kind: 'list';
  readonly items: readonly Tree[];
}

export interface Mapping {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: Tree;
  readonly value: Tree;
  /** Came by `<<`: it may be given again, and the later one counts. */
  readonly isMerged: boolean;
}

const STRING_TAG = 'tag:yaml.org,2002:str';
const BINARY_TAG = 'tag:yaml.org,2002:binary';

/**
 * Reads the first document of a text as Go's yaml.v2 does, which is what Prometheus reads this file with: YAML 1.1, `<<` applied in its place, what
 * follows the first document left unread.
 *
 * @returns undefined for an empty text
 * @throws ConfigError that names lines and never quotes the text, which holds secrets
 */
export function parseYaml(text: string): Tree | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    // Every scalar stays a text.
    schema: 'failsafe',
    // Whether a key is there twice can be told once it is known what the keys mean.
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: lines,
  });
  const error = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (error) throw new ConfigError(`line ${lines.linePos(error.pos[0]).line}: no valid YAML (${error.code})`);
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== '1.1') throw new ConfigError('%YAML: the version has to be 1.1');
  return document.contents === null ? undefined : new TreeBuilder(document, lines).build(document.contents);
}

class TreeBuilder {
  readonly #document: Document;
  readonly #lines: LineCounter;
  /** What is being built, from the root down. */
  readonly #open = new Set<Node>();

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  build(node: Node): Tree {
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (!target) throw this.#error(node, `no anchor has the name ${node.source}`);
      return this.build(target);
    }
    if (node.tag === BINARY_TAG) throw this.#error(node, '!!binary is not read here; write the text itself');
    if (isScalar(node)) {
      const isPlain = node.tag === undefined ? node.type === 'PLAIN' : node.tag !== STRING_TAG;
      return { kind: 'scalar', text: typeof node.value === 'string' ? node.value : '', isPlain };
    }
    if (this.#open.has(node)) throw this.#error(node, 'an anchor stands for something that holds it');
    this.#open.add(node);
    const { items } = node as { readonly items: readonly Node[] };
    const tree: Tree = isMap(node)
      ? { kind: 'map', entries: node.items.flatMap((pair) => this.#entries(pair as Pair<Node, Node | null>)) }
      : { kind: 'list', items: items.map((item) => this.build(item)) };
    this.#open.delete(node);
    return tree;
  }

  #entries({ key, value }: Pair<Node, Node | null>): Entry[] {
    const tree = value === null ? NULL : this.build(value);
    const isMerge = isScalar(key) && key.value === '<<' && key.type === 'PLAIN' && key.tag === undefined;
    if (!isMerge) return [{ key: this.build(key), value: tree, isMerged: false }];
    // Of several maps the first one counts.
    const maps = tree.kind === 'list' ? [...tree.items].reverse() : [tree];
    return maps.flatMap((map) => {
      if (map.kind !== 'map') throw this.#error(key, '<< takes a map, or a list of maps');
      return map.entries.map((entry) => ({ ...entry, isMerged: true }));
    });
  }

  #error(node: Node, problem: string): ConfigError {
    return new ConfigError(`line ${this.#lines.linePos(node.range?.[0] ?? 0).line}: ${problem}`);
  }
}

const NULL: Scalar = { kind: 'scalar', text: '', isPlain: true };
