/**
 * Takes nesting out of SQL text before the engine parses it.
 *
 * The library's parser takes time exponential in the depth of brackets, and the queries that a client gets from a
 * query plan are deep. So object and array literals become a template around flat expressions, and brackets that
 * only group conjunctions are dropped. Neither changes what a query means.
 */
import { badRequest } from './errors.ts';
import { type Token, tokenize } from './sql-text.ts';

/** The shape of a literal; each leaf is the number of an expression. */
export type Template =
  | { readonly kind: 'leaf'; readonly index: number }
  | { readonly kind: 'object'; readonly properties: readonly (readonly [string, Template])[] }
  | { readonly kind: 'array'; readonly elements: readonly Template[] };

/** Parses an expression, adding the text of each leaf to `leaves`. @throws CosmosError 400 for a broken literal. */
export function parseTemplate(expression: string, leaves: string[]): Template {
  const tokens = tokenize(expression);
  const inner = tokens.slice(1, -1);
  if (isWrapped(tokens, '{')) {
    const properties = split(inner, (token) => token.text === ',').map((part) => {
      const [key, colon, ...value] = part;
      if (key === undefined || colon?.text !== ':')
        throw badRequest(`Syntax error in the object ${expression}.`);
      return [keyName(key), parseTemplate(textOf(expression, value), leaves)] as const;
    });
    return { kind: 'object', properties };
  }
  if (isWrapped(tokens, '[')) {
    const parts = split(inner, (token) => token.text === ',');
    return { kind: 'array', elements: parts.map((part) => parseTemplate(textOf(expression, part), leaves)) };
  }
  if (tokens.length === 0) throw badRequest('Syntax error, an expression is missing.');
  return { kind: 'leaf', index: leaves.push(expression) - 1 };
}

/** The value of a template; properties and elements without a value are left out, as the service does. */
export function fillTemplate(template: Template, leaf: (index: number) => unknown): unknown {
  switch (template.kind) {
    case 'leaf':
      return leaf(template.index);
    case 'array':
      return template.elements
        .map((element) => fillTemplate(element, leaf))
        .filter((value) => value !== undefined);
    case 'object': {
      const entries = template.properties.map(([name, value]) => [name, fillTemplate(value, leaf)] as const);
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    }
  }
}

/** `((a AND b) AND (true))` as `a AND b`: the same conjunction without the brackets that it does not need. */
export function flattenConjunction(condition: string): string {
  const kept = conjuncts(condition).filter((text) => text.toLowerCase() !== 'true');
  return kept.length === 0 ? 'true' : kept.join(' AND ');
}

function conjuncts(condition: string): string[] {
  const tokens = tokenize(condition);
  const parts = splitAtAnd(tokens);
  // OR binds weaker than AND: what holds one at this level is a whole, and keeps its brackets.
  if (tokens.some((token) => token.depth === tokens[0]?.depth && isWord(token, 'OR'))) return [condition];
  if (parts.length > 1) return parts.flatMap((part) => conjuncts(textOf(condition, part)));
  if (!isWrapped(tokens, '(')) return [condition];
  const inside = textOf(condition, tokens.slice(1, -1));
  const unwrapped = conjuncts(inside);
  const [only] = unwrapped;
  return unwrapped.length === 1 && only === inside ? [bracketed(inside)] : unwrapped;
}

/** Keeps the brackets around anything that is not simple enough to stand next to AND. */
function bracketed(text: string): string {
  const tokens = tokenize(text);
  const simple = tokens.every(
    (token) => token.kind !== 'word' || !['OR', 'SELECT', 'NOT'].some((w) => isWord(token, w)),
  );
  return simple && !text.includes('?') ? text : `(${text})`;
}

/** Splits at each AND of the outer level that does not belong to a BETWEEN. */
function splitAtAnd(tokens: readonly Token[]): Token[][] {
  let between = 0;
  return split(tokens, (token) => {
    if (isWord(token, 'BETWEEN')) between += 1;
    if (!isWord(token, 'AND')) return false;
    if (between === 0) return true;
    between -= 1;
    return false;
  });
}

function split(tokens: readonly Token[], isSeparator: (token: Token) => boolean): Token[][] {
  const depth = tokens[0]?.depth;
  if (depth === undefined) return [];
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.depth === depth && isSeparator(token)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toUpperCase() === word;
}

/** Whether the first token opens a bracket that the last one closes. */
function isWrapped(tokens: readonly Token[], open: string): boolean {
  const [first, second] = tokens;
  if (first?.text !== open || second === undefined) return false;
  const close = tokens.findIndex(
    (token, i) => i > 0 && token.kind === 'symbol' && token.depth === first.depth,
  );
  return close === tokens.length - 1;
}

function textOf(text: string, tokens: readonly Token[]): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first === undefined || last === undefined ? '' : text.slice(first.start, last.end);
}

function keyName(key: Token): string {
  return key.kind === 'string'
    ? (JSON.parse(`"${key.text.slice(1, -1).replaceAll(/(?<!\\)"/g, '\\"')}"`) as string)
    : key.text;
}
