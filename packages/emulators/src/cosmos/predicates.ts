/**
 * What a WHERE clause demands of top-level properties, as far as an index can use it.
 *
 * Invariant: every item that satisfies the clause satisfies each predicate; the reverse need not hold, because the
 * SQL engine still sees the items that an index lets through.
 */
import type { Parameters, SyntaxNode } from './sql-engine.ts';
import { type IndexValue, isIndexValue } from './values.ts';

export type ComparisonOperator = '=' | '<' | '<=' | '>' | '>=';

export interface Predicate {
  readonly property: string;
  readonly operator: ComparisonOperator;
  readonly value: IndexValue;
}

const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** The comparisons that are joined by AND at the top of a condition, between a property of the item and a constant. */
export function predicatesOf(
  condition: SyntaxNode | undefined,
  alias: string | undefined,
  parameters: Parameters,
): Predicate[] {
  if (condition === undefined || alias === undefined) return [];
  if (condition.type !== 'scalar_binary_expression') return [];
  const { operator } = condition;
  const left = condition['left'] as SyntaxNode;
  const right = condition['right'] as SyntaxNode;
  if (operator === 'AND') {
    return [...predicatesOf(left, alias, parameters), ...predicatesOf(right, alias, parameters)];
  }
  if (!isComparison(operator)) return [];
  return [
    ...comparison(left, operator, right, alias, parameters),
    ...comparison(right, MIRRORED[operator], left, alias, parameters),
  ];
}

function isComparison(operator: unknown): operator is ComparisonOperator {
  return typeof operator === 'string' && Object.hasOwn(MIRRORED, operator);
}

function comparison(
  member: SyntaxNode,
  operator: ComparisonOperator,
  constant: SyntaxNode,
  alias: string,
  parameters: Parameters,
): Predicate[] {
  const property = propertyOf(member, alias);
  const value = constantOf(constant, parameters);
  return property === undefined || !isIndexValue(value) ? [] : [{ property, operator, value }];
}

/** `c.name` and `c["name"]` name a top-level property of the item `c`. */
function propertyOf(node: SyntaxNode, alias: string): string | undefined {
  if (node.type !== 'scalar_member_expression') return undefined;
  const object = node['object'] as SyntaxNode;
  const property = node['property'] as SyntaxNode;
  if (object.type !== 'identifier' || object['name'] !== alias) return undefined;
  const name = node['computed'] === true ? property['value'] : property['name'];
  return typeof name === 'string' ? name : undefined;
}

function constantOf(node: SyntaxNode, parameters: Parameters): unknown {
  switch (node.type) {
    case 'parameter_name':
      return parameters[String(node['name']).slice(1)];
    case 'string_constant':
    case 'number_constant':
    case 'boolean_constant':
      return node['value'];
    case 'null_constant':
      return null;
    default:
      return undefined;
  }
}
