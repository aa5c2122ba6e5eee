/**
 * Size of an item in bytes, as DynamoDB publishes it: names and text in UTF-8, numbers at about a byte per two digits
 * plus one, one byte for null and boolean, three bytes for a list or map plus one per element.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
import type { AttributeValue, Item } from './dynalite.ts';

export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

const CONTAINER_OVERHEAD = 3;
const ELEMENT_OVERHEAD = 1;

function valueBytes(value: AttributeValue): number {
  const [type = 'NULL', content] = Object.entries(value)[0] ?? [];
  switch (type) {
    case 'S':
      return Buffer.byteLength(content as string);
    case 'B':
      return Buffer.from(content as string, 'base64').length;
    case 'N':
      return numberBytes(content as string);
    case 'SS':
    case 'BS':
    case 'NS': {
      const member = type.charAt(0);
      return (content as string[]).reduce((sum, element) => sum + valueBytes({ [member]: element }), 0);
    }
    case 'L':
      return (content as AttributeValue[]).reduce(
        (sum, element) => sum + ELEMENT_OVERHEAD + valueBytes(element),
        CONTAINER_OVERHEAD,
      );
    case 'M': {
      const entries = Object.keys(content as Item).length;
      return CONTAINER_OVERHEAD + ELEMENT_OVERHEAD * entries + itemBytes(content as Item);
    }
    default:
      return 1;
  }
}

/** Significant digits in pairs as they stand around the decimal point, one byte more, and one for a minus sign. */
function numberBytes(text: string): number {
  const { digits, exponent, isNegative } = scientific(text);
  if (digits === '0') return 1;
  const isPaired = digits.length % 2 === 1 || Math.abs(exponent) % 2 === 1;
  return 1 + Math.ceil(digits.length / 2) + (isPaired ? 0 : 1) + (isNegative ? 1 : 0);
}

function scientific(text: string): { digits: string; exponent: number; isNegative: boolean } {
  const [mantissa = '0', power = '0'] = text.toLowerCase().split('e');
  const unsigned = mantissa.replace(/^[+-]/, '');
  const [whole = '', fraction = ''] = unsigned.split('.');
  const all = whole + fraction;
  const leading = all.length - all.replace(/^0+/, '').length;
  const digits = all.replace(/^0+/, '').replace(/0+$/, '') || '0';
  return {
    digits,
    exponent: Number(power) + whole.length - leading - 1,
    isNegative: mantissa.startsWith('-'),
  };
}
