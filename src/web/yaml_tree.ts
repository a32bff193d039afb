import {
  Composer,
  isAlias,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  visit,
  type Alias,
  type CST,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
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

/** Four or so are used. */
const MAX_DEPTH = 100;
/** What aliases and merges stand for counts each time: a few bytes can name a text again and again. */
const MAX_VALUES = 100_000;

/**
 * Reads the first document of a text as Go's yaml.v2 does, which is what Prometheus reads this file with: YAML 1.1, `<<` applied in its place, what
 * follows the first document left unread.
 *
 * @returns undefined for an empty text
 * @throws ConfigError that names lines and never quotes the text, which holds secrets
 */
export function parseYaml(text: string): Tree | undefined {
  const lines = new LineCounter();
  const composer = new Composer({
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
  const [document] = composer.compose(tokens(text, lines), true, text.length);
  if (document === undefined) return undefined;
  const [error] = document.errors;
  if (error) throw new ConfigError(`line ${lines.linePos(error.pos[0]).line}: no valid YAML (${error.code})`);
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== '1.1') throw new ConfigError('%YAML: the version has to be 1.1');
  if (document.contents === null) return undefined;
  return new TreeBuilder(aliasTargets(document), lines).build(document.contents);
}

/** The parser keeps what is open in a list; what is made of its tokens is made by recursion, and the end of the stack ends the process. */
function* tokens(text: string, lines: LineCounter): Generator<CST.Token, void> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length <= MAX_DEPTH) continue;
    throw new ConfigError(`line ${lines.linePos(parser.offset).line}: nested deeper than ${MAX_DEPTH} levels`);
  }
  yield* parser.end();
}

/** What each alias stands for: the last node before it with its anchor. */
function aliasTargets(document: Document): ReadonlyMap<Alias, Node | undefined> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  // Alias.resolve would go through the whole document for each.
  visit(document, (_key, node) => {
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
  });
  return targets;
}

class TreeBuilder {
  readonly #targets: ReadonlyMap<Alias, Node | undefined>;
  readonly #lines: LineCounter;
  /** What is being built, from the root down. */
  readonly #open = new Set<Node>();
  #values = 0;

  constructor(targets: ReadonlyMap<Alias, Node | undefined>, lines: LineCounter) {
    this.#targets = targets;
    this.#lines = lines;
  }

  build(node: Node): Tree {
    this.#count(node);
    if (isAlias(node)) {
      const target = this.#targets.get(node);
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
      return map.entries.map((entry) => {
        this.#count(key);
        return { ...entry, isMerged: true };
      });
    });
  }

  #count(node: Node): void {
    if (++this.#values > MAX_VALUES)
      throw this.#error(node, `more than ${MAX_VALUES} values, each alias's counted again`);
  }

  #error(node: Node, problem: string): ConfigError {
    return new ConfigError(`line ${this.#lines.linePos(node.range?.[0] ?? 0).line}: ${problem}`);
  }
}

const NULL: Scalar = { kind: 'scalar', text: '', isPlain: true };
