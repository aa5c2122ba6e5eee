/**
 * Parameters of the template from the command line: `--param cdn=true` is text, and Resource Manager wants a boolean.
 */
import { own } from '../../command/own.ts';
import type { ArmParameter } from './compose-template.ts';

type Declared = Readonly<Record<string, ArmParameter>>;
type Given = Readonly<Record<string, { readonly value: unknown }>>;

/**
 * The given values as the types that the template declares.
 * @throws Error naming every parameter that the template does not have, or whose value it does not allow.
 */
export function typedParameters(declared: Declared, given: Given): Given {
  const mistakes: string[] = [];
  const typed = Object.entries(given).map(([name, { value }]) => {
    const parameter = own(declared, name);
    const result = parameter && parse(parameter.type, value);
    if (result === undefined) {
      mistakes.push(`${name}: ${parameter ? `'${String(value)}' is no ${parameter.type}` : 'unknown'}`);
    } else if (parameter?.allowedValues?.includes(result) === false) {
      mistakes.push(`${name}: '${String(value)}' is none of ${parameter.allowedValues.join(', ')}`);
    }
    return [name, { value: result }] as const;
  });
  if (mistakes.length > 0) throw new Error(`parameters of the template: ${mistakes.join('; ')}`);
  return Object.fromEntries(typed);
}

/** Undefined when the text does not mean a value of the type. */
function parse(type: string, value: unknown): unknown {
  if (typeof value !== 'string' || type === 'string' || type === 'securestring') return value;
  if (type === 'bool') return value === 'true' ? true : value === 'false' ? false : undefined;
  if (type === 'int') return /^-?\d+$/.test(value) ? Number(value) : undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}
