/** Conditions, where dynalite's evaluation falls short: the equality of lists and maps. */
import { type AttributeValue, db, type Expression, type Item } from './dynalite.ts';
import { isSame } from './equality.ts';

/** Whether an item meets a parsed condition. */
export function isMet(expression: Expression, item: Item): boolean {
  const parts = expression.args as readonly Expression[];
  switch (expression.type) {
    case 'and':
      return parts.every((part) => isMet(part, item));
    case 'or':
      return parts.some((part) => isMet(part, item));
    case 'not':
      return !parts.some((part) => isMet(part, item));
    case '=':
    case '<>': {
      const [left, right] = expression.args.map((operand) => documentOf(operand, item));
      if (left === undefined || right === undefined) return db.matchesExprFilter(item, expression);
      return isSame(left, right) === (expression.type === '=');
    }
    default:
      return db.matchesExprFilter(item, expression);
  }
}

/** The list or map that an operand stands for; nothing when it stands for something else. */
function documentOf(operand: unknown, item: Item): AttributeValue | undefined {
  const value = Array.isArray(operand) ? db.mapPath(operand as string[], item) : (operand as AttributeValue);
  const isDocument = value !== null && value !== undefined && ('L' in value || 'M' in value);
  return isDocument ? value : undefined;
}
