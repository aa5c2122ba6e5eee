/**
 * What Resource Manager would make of a template: conditions decided, loops unrolled, children beside their parents,
 * expressions evaluated. Knows the functions that were needed so far; any other one is an error.
 *
 * The emulator deploys with it, and so do tests, and checkers of templates, which understand values better than
 * expressions. What only a deployment can know (`reference`, ids of the subscription) is a text that says so.
 * @see https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
 */
import { createHash } from 'node:crypto';
import type { ArmResource, ArmTemplate } from './template.ts';

type Expression =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'member'; readonly of: Expression; readonly member: Expression };

/** Where an expression is evaluated: inside a loop, inside a lambda. */
interface Scope {
  readonly index?: number;
  readonly bound?: Readonly<Record<string, unknown>>;
}

export interface DeployedResource {
  readonly id: string;
  readonly type: string;
  /** With those of its parents, separated by slashes. */
  readonly name: string;
  readonly apiVersion: string;
  /** False: named in the template, and not made. */
  readonly made: boolean;
  readonly dependsOn: readonly string[];
  /** The whole resource, evaluated, without its children. */
  readonly body: Readonly<Record<string, unknown>>;
}

const GROUP = '/subscriptions/s/resourceGroups/g';
const hash = (values: readonly unknown[]): string =>
  createHash('sha256').update(values.join('|')).digest('hex').slice(0, 13);

/** @throws Error for an expression that cannot be read, or that names what is not there. */
export function deploy(template: ArmTemplate, given: Readonly<Record<string, unknown>>): DeployedResource[] {
  const evaluate = evaluator(template, given);
  const unroll = (resource: ArmResource, parent?: { type: string; name: string }): DeployedResource[] => {
    const { resources = [], copy, comments: _comments, ...rest } = resource;
    const loop = copy as { count: unknown } | undefined;
    const count = loop === undefined ? 1 : Number(evaluate(loop.count, {}));
    return Array.from({ length: count }, (_, index) => {
      const body = evaluate(rest, loop === undefined ? {} : { index }) as Record<string, unknown>;
      const type = parent === undefined ? resource.type : `${parent.type}/${resource.type}`;
      const name = parent === undefined ? String(body['name']) : `${parent.name}/${String(body['name'])}`;
      const made: DeployedResource = {
        id: idOf(type, name.split('/'), body['scope'] as string | undefined),
        type,
        name,
        apiVersion: resource.apiVersion,
        made: body['condition'] !== false,
        dependsOn: (body['dependsOn'] ?? []) as string[],
        body,
      };
      return [made, ...resources.flatMap((child) => unroll(child, { type, name }))];
    }).flat();
  };
  return template.resources.flatMap((resource) => unroll(resource));
}

function idOf(type: string, names: readonly string[], scope = GROUP): string {
  const [provider = '', ...types] = type.split('/');
  if (types.length !== names.length)
    throw new Error(`${type} has ${names.length} names: ${names.join(', ')}`);
  return `${scope}/providers/${provider}/${types.map((part, i) => `${part}/${names[i] ?? ''}`).join('/')}`;
}

function evaluator(
  template: ArmTemplate,
  given: Readonly<Record<string, unknown>>,
): (node: unknown, scope: Scope) => unknown {
  const find = (kind: 'parameters' | 'variables', name: string): unknown => {
    if (!Object.hasOwn(template[kind], name)) throw new Error(`no ${kind.slice(0, -1)} is called ${name}`);
    if (kind === 'variables') return evaluate(template.variables[name], {});
    return Object.hasOwn(given, name) ? given[name] : evaluate(template.parameters[name]?.defaultValue, {});
  };

  const run = (expression: Expression, scope: Scope): unknown => {
    if (expression.kind === 'value') return expression.value;
    if (expression.kind === 'member') {
      const of = run(expression.of, scope);
      const member = String(run(expression.member, scope));
      if (typeof of === 'string' && of.startsWith('<')) return `${of.slice(0, -1)}.${member}>`;
      const value = (of as Record<string, unknown> | undefined)?.[member];
      if (value === undefined) throw new Error(`nothing is called ${member} in ${JSON.stringify(of)}`);
      return value;
    }
    const { name, args } = expression;
    const arg = (i: number): unknown => {
      const given = args[i];
      if (given === undefined) throw new Error(`${name} misses argument ${i + 1}`);
      return run(given, scope);
    };
    switch (name) {
      case 'if':
        return arg(0) === true ? arg(1) : arg(2);
      case 'parameters':
      case 'variables':
        return find(name, String(arg(0)));
      case 'copyIndex':
        if (scope.index === undefined) throw new Error('copyIndex outside a loop');
        return scope.index;
      case 'lambdaVariables':
        return scope.bound?.[String(arg(0))];
      case 'map': {
        const [, lambda] = args;
        if (lambda?.kind !== 'call' || lambda.name !== 'lambda') throw new Error('map without a lambda');
        const [variable, body] = lambda.args;
        if (variable === undefined || body === undefined) throw new Error('a lambda has a name and a body');
        const bound = String(run(variable, scope));
        return (arg(0) as unknown[]).map((item) => run(body, { ...scope, bound: { [bound]: item } }));
      }
      default:
        return call(
          name,
          args.map((_, i) => arg(i)),
        );
    }
  };

  const evaluate = (node: unknown, scope: Scope): unknown => {
    if (typeof node === 'string') {
      if (node.startsWith('[[')) return node.slice(1);
      return node.startsWith('[') && node.endsWith(']') ? run(parse(node.slice(1, -1)), scope) : node;
    }
    if (Array.isArray(node)) return node.map((item) => evaluate(item, scope));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, evaluate(value, scope)]));
  };
  return evaluate;
}

/** Functions of their values alone. */
function call(name: string, args: readonly unknown[]): unknown {
  const [first, second, third] = args;
  const texts = args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg)));
  switch (name) {
    case 'and':
      return args.every((arg) => arg === true);
    case 'not':
      return first !== true;
    case 'equals':
      return first === second;
    case 'empty':
      return (first as string | unknown[]).length === 0;
    case 'length':
      return (first as string | unknown[]).length;
    case 'true':
      return true;
    case 'json':
      return JSON.parse(texts[0] ?? '') as unknown;
    case 'string':
      return typeof first === 'object' ? JSON.stringify(first) : texts[0];
    case 'format':
      return (texts[0] ?? '').replace(/\{(\d+)\}/g, (_, i: string) => texts[Number(i) + 1] ?? '');
    case 'replace':
      return String(first).replaceAll(String(second), String(third));
    case 'split':
      return String(first).split(String(second));
    case 'toLower':
      return String(first).toLowerCase();
    case 'trim':
      return String(first).trim();
    case 'createArray':
      return args;
    case 'createObject':
      return Object.fromEntries(args.flatMap((arg, i) => (i % 2 === 0 ? [[String(arg), args[i + 1]]] : [])));
    case 'guid':
    case 'uniqueString':
      return hash(args);
    case 'reference':
      return `<${String(first)}>`;
    case 'resourceGroup':
      return { id: GROUP, location: 'here' };
    case 'subscription':
      return { tenantId: 'tenant' };
    case 'environment':
      return { suffixes: { storage: 'core.windows.net', keyvaultDns: '.vault.azure.net' } };
    case 'subscriptionResourceId':
      return idOf(String(first), texts.slice(1), '/subscriptions/s');
    case 'extensionResourceId':
      return idOf(String(second), texts.slice(2), String(first));
    case 'resourceId':
      return String(first).includes('/')
        ? idOf(String(first), texts.slice(1))
        : idOf(String(second), texts.slice(2), `/subscriptions/s/resourceGroups/${String(first)}`);
    default:
      throw new Error(`the function ${name} is not known here`);
  }
}

/** @throws Error at the first character that does not belong. */
function parse(text: string): Expression {
  const tokens = text.match(/'(?:[^']|'')*'|\d+|\w+|[^\s\w]/g) ?? [];
  let at = 0;
  const take = (wanted?: string): string => {
    const token = tokens[at++];
    if (token === undefined || (wanted !== undefined && token !== wanted))
      throw new Error(`${text}: ${wanted ?? 'more'} is missing before ${token ?? 'the end'}`);
    return token;
  };
  const list = (end: string): Expression[] => {
    const items: Expression[] = [];
    while (tokens[at] !== end) {
      if (items.length > 0) take(',');
      items.push(one());
    }
    take(end);
    return items;
  };
  const head = (): Expression => {
    const token = take();
    if (token.startsWith("'")) return { kind: 'value', value: token.slice(1, -1).replaceAll("''", "'") };
    if (/^\d/.test(token)) return { kind: 'value', value: Number(token) };
    take('(');
    return { kind: 'call', name: token, args: list(')') };
  };
  const one = (): Expression => {
    let whole = head();
    while (tokens[at] === '.' || tokens[at] === '[') {
      if (take() === '.') {
        whole = { kind: 'member', of: whole, member: { kind: 'value', value: take() } };
      } else {
        whole = { kind: 'member', of: whole, member: one() };
        take(']');
      }
    }
    return whole;
  };
  const whole = one();
  if (at !== tokens.length) throw new Error(`${text}: ${tokens[at] ?? ''} does not belong`);
  return whole;
}
