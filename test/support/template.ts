import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type CollectionTag, type ScalarTag, type YAMLMap, type YAMLSeq } from 'yaml';
import { ROOT } from './adapter.ts';

/** deploy/cloudformation.yaml as a test reads it: as it stands, and as a stack of given parameters has it. */

export const TEMPLATE_FILE = join(ROOT, 'deploy/cloudformation.yaml');

export type Json = Record<string, unknown>;

interface Parameter {
  readonly Type: 'String' | 'Number';
  readonly Default: unknown;
  readonly Description: string;
  readonly AllowedValues?: readonly unknown[];
  readonly AllowedPattern?: string;
  readonly MaxValue?: number;
}

export interface Template {
  readonly Parameters: Readonly<Record<string, Parameter>>;
  readonly Rules: Readonly<Record<string, { RuleCondition: unknown; Assertions: readonly { Assert: unknown }[] }>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Json & { readonly Type: string; readonly Condition?: string }>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown; readonly Condition?: string }>>;
}

/** What a stack has of the template. */
export interface Stack {
  /** The resources that exist, by logical name. A reference to one is its name; to its attribute, `Name.Attribute`. */
  readonly resources: Readonly<Record<string, Json & { readonly Type: string; readonly Properties: Json }>>;
  readonly outputs: Readonly<Record<string, string>>;
}

const FUNCTIONS = ['Sub', 'GetAtt', 'If', 'Equals', 'Not'];

export function readTemplate(): Template {
  const names = ['Ref', 'Condition', ...FUNCTIONS];
  const key = (name: string) => (FUNCTIONS.includes(name) ? `Fn::${name}` : name);
  const customTags = names.flatMap((name): (ScalarTag | CollectionTag)[] => [
    { tag: `!${name}`, resolve: (text: string) => ({ [key(name)]: text }) },
    {
      tag: `!${name}`,
      collection: 'seq',
      resolve: (list: YAMLMap | YAMLSeq) => ({ [key(name)]: list.toJSON() as unknown }),
    },
  ]);
  return parse(readFileSync(TEMPLATE_FILE, 'utf8'), { customTags }) as Template;
}

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::StackName': 'stack',
};

const NO_VALUE = Symbol('AWS::NoValue');

/**
 * The stack that a template makes of parameters; those that are not given have their defaults.
 *
 * @throws Error where it refers to what is not there, or a rule does not hold
 */
export function stackOf(template: Template, given: Readonly<Record<string, string>> = {}): Stack {
  const evaluator = new Evaluator(template, given);
  evaluator.mustHold();
  const exists = ([, { Condition }]: [string, { Condition?: string }]) =>
    Condition === undefined || evaluator.condition(Condition);
  const evaluated = (part: object) =>
    Object.fromEntries(
      Object.entries(part)
        .filter(exists)
        .map(([name, value]) => [name, evaluator.evaluate(value)]),
    );
  const outputs = evaluated(template.Outputs) as Record<string, { Value: string }>;
  return {
    resources: evaluated(template.Resources) as Stack['resources'],
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { Value }]) => [name, Value])),
  };
}

class Evaluator {
  readonly #template: Template;
  readonly #parameters: Readonly<Record<string, string>>;

  constructor(template: Template, given: Readonly<Record<string, string>>) {
    this.#template = template;
    this.#parameters = Object.fromEntries(
      Object.entries(template.Parameters).map(([name, parameter]) => {
        const value = given[name] ?? String(parameter.Default);
        const { AllowedValues: values, AllowedPattern: pattern } = parameter;
        if (values && !values.map(String).includes(value)) throw new Error(`${name} may not be ${value}`);
        if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value)) {
          throw new Error(`${name} may not be ${value}`);
        }
        return [name, value];
      }),
    );
  }

  /** Checks the rules. */
  mustHold(): void {
    for (const [name, { RuleCondition, Assertions }] of Object.entries(this.#template.Rules)) {
      if (this.evaluate(RuleCondition) !== true) continue;
      if (!Assertions.every(({ Assert }) => this.evaluate(Assert) === true)) throw new Error(`${name} does not hold`);
    }
  }

  condition(name: string): boolean {
    const condition = this.#template.Conditions[name];
    if (condition === undefined) throw new Error(`there is no condition ${name}`);
    return this.evaluate(condition) === true;
  }

  evaluate(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.evaluate(item)).filter((item) => item !== NO_VALUE);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, argument] = ['', undefined]] = entries;
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument);
    if (entries.length === 1 && name === 'Condition' && typeof argument === 'string') return this.condition(argument);
    return Object.fromEntries(
      entries.map(([field, item]) => [field, this.evaluate(item)]).filter(([, item]) => item !== NO_VALUE),
    );
  }

  #call(name: string, argument: unknown): unknown {
    if (name === 'Ref') return argument === 'AWS::NoValue' ? NO_VALUE : this.#refer(argument as string);
    if (name === 'Fn::GetAtt') return this.#refer(argument as string);
    if (name === 'Fn::Sub') return this.#substitute(argument as string);
    const list = argument as unknown[];
    if (name === 'Fn::If') return this.evaluate(this.condition(list[0] as string) ? list[1] : list[2]);
    const values = this.evaluate(list) as unknown[];
    switch (name) {
      case 'Fn::Equals':
        return values[0] === values[1];
      case 'Fn::Not':
        return values[0] !== true;
      case 'Fn::And':
        return values.every((item) => item === true);
      case 'Fn::Or':
        return values.some((item) => item === true);
      case 'Fn::Contains':
        return (values[0] as unknown[]).includes(values[1]);
      default:
        throw new Error(`${name} is not known`);
    }
  }

  #substitute(text: string): string {
    return text.replace(/\$\{(?!!)([^}]+)\}/g, (_, target: string) => this.#refer(target)).replaceAll('${!', '${');
  }

  /** A parameter's value, or the name that stands for a resource or its attribute. */
  #refer(target: string): string {
    const value = this.#parameters[target] ?? PSEUDO_PARAMETERS[target];
    if (value !== undefined) return value;
    const resource = this.#template.Resources[target.split('.', 1)[0]!];
    if (!resource) throw new Error(`there is no ${target}`);
    if (resource.Condition !== undefined && !this.condition(resource.Condition)) {
      throw new Error(`${target} is not there under ${resource.Condition}`);
    }
    return target;
  }
}
