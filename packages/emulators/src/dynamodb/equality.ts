/** Equality of attribute values as they travel in JSON. */
import type { AttributeValue, Item } from './dynalite.ts';

/** Whether two attribute values are equal: by type and content, sets in any order. */
export function isSame(left: AttributeValue, right: AttributeValue): boolean {
  const [type = '', content] = Object.entries(left)[0] ?? [];
  const other = right[type];
  if (other === undefined) return false;
  switch (type) {
    case 'L':
      return isSameList(content as AttributeValue[], other as AttributeValue[]);
    case 'M':
      return isSameMap(content as Item, other as Item);
    case 'SS':
    case 'NS':
    case 'BS':
      return isSameSet(content as string[], other as string[]);
    default:
      return content === other;
  }
}

function isSameList(left: readonly AttributeValue[], right: readonly AttributeValue[]): boolean {
  return left.length === right.length && left.every((value, i) => isSame(value, right[i] ?? {}));
}

/** Whether two items, or the contents of two maps, are equal. */
export function isSameMap(left: Item, right: Item): boolean {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => {
    const [a, b] = [left[name], right[name]];
    return a !== undefined && b !== undefined && isSame(a, b);
  });
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((element) => right.includes(element));
}
