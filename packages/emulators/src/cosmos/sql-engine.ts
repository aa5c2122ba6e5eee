/**
 * The one place that knows `@zeit/cosmosdb-query`: expressions of Cosmos DB's SQL, evaluated over one item at a time.
 *
 * The library's own entry point compiles on every call and copies the result once per row, which makes it quadratic;
 * so its parser and code generator are used, the function is compiled once and called with one item.
 */
import { createRequire } from 'node:module';
import { badRequest } from './errors.ts';
import type { JsonObject } from './model.ts';
import { fillTemplate, flattenConjunction, parseTemplate } from './sql-simplify.ts';
import { splitQuery, tokenize } from './sql-text.ts';

export interface QueryParameter {
  readonly name: string;
  readonly value?: unknown;
}

/** A node of the library's syntax tree; its properties depend on `type`. */
export interface SyntaxNode {
  readonly type: string;
  readonly [property: string]: unknown;
}

export interface RowQuery {
  /** The rows that one item yields: none, one, or several under JOIN. */
  run(doc: JsonObject, parameters: Parameters): unknown[];
  /** The syntax tree of the WHERE clause. */
  readonly condition: SyntaxNode | undefined;
}

/** Parameter values by name, without the `@`. */
export type Parameters = Readonly<Record<string, unknown>>;

interface ParsedQuery {
  readonly ast: { readonly body: { readonly where?: { readonly condition: SyntaxNode } | null } };
  readonly code: string;
}

type Generated = (
  aggregates: unknown,
  builtins: unknown,
  collection: readonly unknown[],
  helpers: unknown,
  functions: unknown,
  parameters: Parameters,
) => { readonly result: unknown[] };

const require = createRequire(import.meta.url);
const { default: parse } = require('@zeit/cosmosdb-query') as { default: (sql: string) => ParsedQuery };
const aggregates: unknown = require('@zeit/cosmosdb-query/lib/aggregate-functions.js');
const builtins: unknown = require('@zeit/cosmosdb-query/lib/builtin-functions.js');
const helpers: unknown = require('@zeit/cosmosdb-query/lib/helpers.js');

/** A call in the code that the library makes of a query. */
const SPATIAL = /\$b\.ST_[A-Z]+\(/;
const CACHE_MAX = 500;
const cache = new Map<string, RowQuery>();

/**
 * Compiles a query that has no DISTINCT, TOP, ORDER BY, OFFSET or aggregate; the same text is compiled once.
 * @throws CosmosError 400 when the text is not SQL that the library knows.
 */
export function compileRowQuery(sql: string): RowQuery {
  const cached = cache.get(sql);
  if (cached !== undefined) return cached;
  const query = compile(sql);
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(sql, query);
  return query;
}

function compile(sql: string): RowQuery {
  let parsed: ParsedQuery;
  let generated: Generated;
  try {
    parsed = parse(sql);
    // The library turns a query into the source of a function; running that source is what it is for.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function(`"use strict";return (${parsed.code})`) as () => Generated;
    generated = make();
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : String(error);
    throw badRequest(`Syntax error, incorrect syntax in the query: ${detail}`);
  }
  // What they are made of weighs 43 MB and is not installed (package.json, overrides).
  if (SPATIAL.test(parsed.code))
    throw badRequest('This emulator does not evaluate spatial functions (ST_…).');
  const functions = {};
  return {
    condition: parsed.ast.body.where?.condition,
    run(doc, parameters) {
      try {
        return generated(aggregates, builtins, [doc], helpers, functions, parameters).result;
      } catch (error) {
        throw badRequest(
          `The query can't be evaluated: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
  };
}

/** Parameters by name. @throws CosmosError 400 for a parameter without a name that begins with `@`. */
export function parameterValues(parameters: readonly QueryParameter[] = []): Parameters {
  return Object.fromEntries(
    parameters.map(({ name, value }) => {
      if (typeof name !== 'string' || !name.startsWith('@'))
        throw badRequest('A parameter name must begin with @.');
      return [name.slice(1), value];
    }),
  );
}

/** Evaluates an expression that refers to parameters only; undefined when it has no value. */
export function evaluateConstant(expression: string, parameters: Parameters): unknown {
  const leaves: string[] = [];
  const template = parseTemplate(expression, leaves);
  const [row] = compileRowQuery(`SELECT ${leafColumns(leaves).join(', ')} FROM c`).run({}, parameters);
  return fillTemplate(template, leafValue(row));
}

/** The leaves of a template as columns of a row query; never an empty list. */
export function leafColumns(leaves: readonly string[]): string[] {
  return [...leaves.map((leaf, i) => `${leaf} AS e${i}`), 'true AS r'];
}

/** Reads the columns of `leafColumns` from a row. */
export function leafValue(row: unknown): (index: number) => unknown {
  return (index) => (row as JsonObject | undefined)?.[`e${index}`];
}

/** Whether an item satisfies a condition such as `FROM c WHERE c.stock > 0`, the form that a conditional patch uses. */
export function matchesCondition(doc: JsonObject, condition: string): boolean {
  const { from, where } = splitQuery(`SELECT VALUE true ${condition}`);
  if (from === undefined) throw badRequest('A condition must have the form FROM c WHERE c.property = value.');
  const { text, parameters } = withoutLiterals(where ?? '');
  const clause = where === undefined ? '' : ` WHERE ${flattenConjunction(text)}`;
  return compileRowQuery(`SELECT VALUE true FROM ${from}${clause}`).run(doc, parameters).length > 0;
}

/**
 * Strings as parameters: a condition names what was read, so hardly any comes twice, and compiling one takes longer than the
 * rest of a patch. A string that is part of a path, or is escaped, stays.
 */
function withoutLiterals(where: string): { readonly text: string; readonly parameters: Parameters } {
  const parameters: Record<string, unknown> = {};
  const tokens = tokenize(where);
  if (tokens.some(({ kind }) => kind === 'parameter')) return { text: where, parameters };
  let text = '';
  let end = 0;
  tokens.forEach((token, index) => {
    const isInPath = tokens[index - 1]?.text === '[' && tokens[index + 1]?.text === ']';
    if (token.kind !== 'string' || isInPath || token.text.includes('\\')) return;
    const name = `literal${index}`;
    parameters[name] = token.text.slice(1, -1);
    text += `${where.slice(end, token.start)}@${name}`;
    end = token.end;
  });
  return { text: text + where.slice(end), parameters };
}
