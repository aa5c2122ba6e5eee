/** COUNT, SUM, MIN, MAX and AVG over all the rows of a query, and the expressions around them. */
import { badRequest } from './errors.ts';
import type { JsonObject } from './model.ts';
import { evaluateConstant, type Parameters } from './sql-engine.ts';
import type { Aggregate, QueryText } from './sql-text.ts';
import { compareValues, isIndexValue } from './values.ts';

/**
 * The one row of an aggregate query, or none when its value is undefined.
 * @param rows Fields of each row; the argument of the n-th aggregate is in `a<n>`.
 */
export function aggregate(text: QueryText, rows: readonly JsonObject[], parameters: Parameters): unknown[] {
  const values: Record<string, unknown> = { ...parameters };
  for (const [i, { name }] of text.aggregates.entries()) {
    values[`__aggregate${i}`] = compute(
      name,
      rows.map((row) => row[`a${i}`]).filter((value) => value !== undefined),
    );
  }
  const expression = text.value ? withResults(text, 0, text.select) : objectExpression(text);
  const result = evaluateConstant(expression, values);
  return result === undefined ? [] : [result];
}

function compute(name: Aggregate['name'], values: readonly unknown[]): unknown {
  switch (name) {
    case 'COUNT':
      return values.length;
    case 'SUM':
      return sum(values);
    case 'AVG': {
      const total = sum(values);
      return total === undefined || values.length === 0 ? undefined : total / values.length;
    }
    case 'MIN':
      return extreme(values, -1);
    case 'MAX':
      return extreme(values, 1);
  }
}

/** Undefined as soon as one value is not a number, as the service has it. */
function sum(values: readonly unknown[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (typeof value !== 'number') return undefined;
    total += value;
  }
  return total;
}

/** The smallest (-1) or largest (1) value; undefined as soon as one is an array or an object. */
function extreme(values: readonly unknown[], sign: -1 | 1): unknown {
  if (!values.every(isIndexValue)) return undefined;
  return values.reduce<unknown>(
    (best, value) => (best === undefined || compareValues(value, best) * sign > 0 ? value : best),
    undefined,
  );
}

/** A part of the select text with each aggregate replaced by the parameter that holds its result. */
function withResults(text: QueryText, start: number, part: string): string {
  let result = '';
  let at = start;
  for (const [i, aggregate] of text.aggregates.entries()) {
    if (aggregate.start < start || aggregate.end > start + part.length) continue;
    result += `${text.select.slice(at, aggregate.start)}@__aggregate${i}`;
    at = aggregate.end;
  }
  return result + text.select.slice(at, start + part.length);
}

function objectExpression(text: QueryText): string {
  let from = 0;
  const properties = text.columns.map((column) => {
    const start = text.select.indexOf(column.text, from);
    if (start < 0) throw badRequest(`Syntax error near '${column.text}'.`);
    from = start + column.text.length;
    return `${JSON.stringify(column.name)}: ${withResults(text, start, column.text)}`;
  });
  return `{${properties.join(', ')}}`;
}
