import jsonata from 'jsonata';

/**
 * State machines in the Amazon States Language with JSONata, as far as deploy/ uses it, and strictly: a field that is not known, an
 * expression without a value, or a payload beyond the quota is an error. https://docs.aws.amazon.com/step-functions/latest/dg/
 */

export type Value = unknown;

interface State {
  readonly Type: 'Pass' | 'Task' | 'Choice' | 'Map' | 'Succeed' | 'Fail';
  readonly Next?: string;
  readonly End?: boolean;
  readonly Assign?: Readonly<Record<string, Value>>;
  readonly Output?: Value;
  readonly Resource?: string;
  readonly Arguments?: Value;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
  readonly Choices?: readonly Choice[];
  readonly Default?: string;
  readonly Items?: Value;
  readonly ItemSelector?: Value;
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig?: { readonly Mode: string } };
  readonly MaxConcurrency?: number;
  readonly Error?: Value;
  readonly Cause?: Value;
}

interface Choice {
  readonly Condition: string;
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, Value>>;
}

export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** A service's answer to a task. */
export type Service = (resource: string, args: Readonly<Record<string, Value>>) => Promise<Value>;

export interface Execution {
  readonly Id: string;
  readonly Name: string;
  /** RFC 3339. */
  readonly StartTime: string;
}

/** An error with a name, by which a Retry knows it. */
export class StatesError extends Error {
  constructor(name: string, cause: string) {
    super(`${name}: ${cause}`);
    this.name = name;
  }
}

const COMMON = ['Type', 'Comment'];
const FIELDS: Readonly<Record<State['Type'], readonly string[]>> = {
  Pass: [...COMMON, 'Next', 'End', 'Assign', 'Output'],
  Task: [...COMMON, 'Next', 'End', 'Assign', 'Output', 'Resource', 'Arguments', 'Retry'],
  Choice: [...COMMON, 'Choices', 'Default'],
  Map: [...COMMON, 'Next', 'End', 'Assign', 'Output', 'Items', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency'],
  Succeed: [...COMMON, 'Output'],
  Fail: [...COMMON, 'Error', 'Cause'],
};
/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: input or output of a state, and an Assign's values. */
const MAX_PAYLOAD_BYTES = 256 * 1024;

/** Runs a machine from its start to its end; its output. */
export async function runMachine(
  machine: Machine & { readonly QueryLanguage: string },
  service: Service,
  execution: Execution,
): Promise<Value> {
  if (machine.QueryLanguage !== 'JSONata') throw new Error('only JSONata is known');
  const context = { Execution: execution, StateMachine: { Id: 'the-state-machine' } };
  return new Runner(service, context, new Scope()).run(machine, {});
}

/** Variables; those of outer scopes can be read, not written. */
class Scope {
  readonly #outer: Scope | undefined;
  readonly #own: Record<string, Value> = {};

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get all(): Record<string, Value> {
    return { ...this.#outer?.all, ...this.#own };
  }

  assign(values: Readonly<Record<string, Value>>): void {
    for (const name of Object.keys(values)) {
      if (this.#outer && name in this.#outer.all) throw new Error(`$${name} is a variable of an outer scope`);
    }
    Object.assign(this.#own, values);
  }
}

type States = Readonly<Record<'input' | 'result', Value>>;

class Runner {
  readonly #service: Service;
  readonly #context: Readonly<Record<string, Value>>;
  readonly #scope: Scope;

  constructor(service: Service, context: Readonly<Record<string, Value>>, scope: Scope) {
    this.#service = service;
    this.#context = context;
    this.#scope = scope;
  }

  async run({ StartAt, States }: Machine, given: Value): Promise<Value> {
    let input = given;
    for (let name = StartAt; ;) {
      const state = States[name];
      if (!state) throw new Error(`there is no state ${name}`);
      const strange = Object.keys(state).filter((field) => !FIELDS[state.Type].includes(field));
      if (strange.length > 0) throw new Error(`${name} has the fields ${strange.join()}`);
      const { output, next } = await this.#step(state, input);
      if (next === undefined) return output;
      name = next;
      input = output;
    }
  }

  async #step(state: State, input: Value): Promise<{ output: Value; next: string | undefined }> {
    switch (state.Type) {
      case 'Choice':
        return { output: input, next: await this.#choose(state, input) };
      case 'Fail': {
        const [error, cause] = await Promise.all([state.Error, state.Cause].map((text) => this.#eval(text, { input })));
        throw new StatesError(String(error), String(cause));
      }
      case 'Pass':
      case 'Succeed':
        return this.#finish(state, { input, result: input });
      case 'Task':
        return this.#finish(state, { input, result: await this.#call(state, input) });
      case 'Map':
        return this.#finish(state, { input, result: await this.#map(state, input) });
    }
  }

  async #finish(state: State, states: States): Promise<{ output: Value; next: string | undefined }> {
    const assigned = await this.#eval(state.Assign ?? {}, states);
    const output = state.Output === undefined ? states.result : await this.#eval(state.Output, states);
    this.#scope.assign(assigned as Record<string, Value>);
    return { output: payload(output), next: state.End === true || state.Type === 'Succeed' ? undefined : state.Next! };
  }

  async #call({ Resource, Arguments, Retry = [] }: State, input: Value): Promise<Value> {
    const args = payload(await this.#eval(Arguments, { input })) as Record<string, Value>;
    for (let attempt = 0; ; attempt++) {
      try {
        return payload(await this.#service(Resource!, args));
      } catch (error) {
        const retry = Retry.find(({ ErrorEquals }) => error instanceof StatesError && isOneOf(error.name, ErrorEquals));
        if (!retry || attempt === retry.MaxAttempts) throw error;
      }
    }
  }

  async #choose({ Choices, Default }: State, input: Value): Promise<string> {
    for (const { Condition, Next, Assign = {} } of Choices!) {
      const holds = await this.#eval(Condition, { input });
      if (typeof holds !== 'boolean') throw new Error(`${Condition} is not a boolean`);
      if (!holds) continue;
      this.#scope.assign((await this.#eval(Assign, { input })) as Record<string, Value>);
      return Next;
    }
    return Default!;
  }

  async #map({ Items, ItemSelector, ItemProcessor, MaxConcurrency }: State, input: Value): Promise<Value> {
    if (MaxConcurrency !== undefined && typeof MaxConcurrency !== 'number') throw new Error('MaxConcurrency');
    const items = await this.#eval(Items, { input });
    if (!Array.isArray(items)) throw new Error(`${String(Items)} is not an array`);
    const results: Value[] = [];
    for (const [index, value] of items.entries()) {
      const context = { ...this.#context, Map: { Item: { Index: index, Value: value as Value } } };
      const selected =
        ItemSelector === undefined
          ? (value as Value)
          : await new Runner(this.#service, context, this.#scope).#eval(ItemSelector, { input });
      // Executions of a distributed map have variables, and a name, of their own.
      const isDistributed = ItemProcessor!.ProcessorConfig?.Mode === 'DISTRIBUTED';
      const own = isDistributed ? { Execution: { Name: `map-run-${index}` } } : context;
      const scope = isDistributed ? new Scope() : new Scope(this.#scope);
      results.push(await new Runner(this.#service, own, scope).run(ItemProcessor!, payload(selected)));
    }
    return results;
  }

  /** Evaluates the expressions in a value, however deep. */
  async #eval(value: Value, states: Partial<States>): Promise<Value> {
    if (typeof value === 'string') return value.startsWith('{%') ? this.#expression(value, states) : value;
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.#eval(item, states)));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(async ([key, item]) => [key, await this.#eval(item, states)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }

  async #expression(text: string, states: Partial<States>): Promise<Value> {
    const [, source] = /^\{%(.*)%\}$/s.exec(text) ?? [];
    if (source === undefined) throw new Error(`${text} is no expression`);
    const bindings = { ...this.#scope.all, states: { ...states, context: this.#context } };
    const result: unknown = await jsonata(source).evaluate(undefined, bindings);
    if (result === undefined) throw new StatesError('States.QueryEvaluationError', `${text} has no value`);
    return copy(result);
  }
}

/** Whether an error is one of these. Whatever a service answers is a failed task too; what the language itself raises is not. */
function isOneOf(name: string, errors: readonly string[]): boolean {
  return errors.includes(name) || (errors.includes('States.TaskFailed') && !name.startsWith('States.'));
}

/** A value as the service passes it on. */
function payload(value: Value): Value {
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_PAYLOAD_BYTES)
    throw new StatesError('States.DataLimitExceeded', '');
  return copy(value);
}

function copy(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
