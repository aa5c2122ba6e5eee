/**
 * Parameters of the template from the command line: `--param cdn=true` is text, and Resource Manager wants a boolean.
 */
import { own } from '@tandem-clouds/command-line/own';
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
    } else if (parameter !== undefined) {
      mistakes.push(...beyondLimits(name, result, parameter));
    }
    return [name, { value: result }] as const;
  });
  if (mistakes.length > 0) throw new Error(`parameters of the template: ${mistakes.join('; ')}`);
  return Object.fromEntries(typed);
}

/** Names of `parameters` with a form that ARM cannot declare, and what they are for. */
const FORMS: Readonly<Record<string, { readonly form: RegExp; readonly words: string }>> = {
  // The name of the app is also the beginning of the names of its Service Bus namespace, which begins with a letter, and
  // of its Cosmos DB account, which has no capitals: Resource Manager would find that out halfway through a deployment.
  // https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
  functionAppName: {
    form: /^[a-z][a-z0-9-]*[a-z0-9]$/,
    words: 'small letters, digits and hyphens, a letter first and no hyphen last',
  },
  // Consumption takes the first of a month and nothing else.
  // https://learn.microsoft.com/azure/templates/microsoft.consumption/budgets
  budgetFrom: {
    form: /^(\d{4}-(0[1-9]|1[0-2])-01)?$/,
    words: 'the first day of a month, such as 2026-12-01',
  },
};

/** What Resource Manager would refuse, or worse, find out when half of the site is there. */
function beyondLimits(name: string, value: unknown, parameter: ArmParameter): string[] {
  const { minValue, maxValue, minLength, maxLength } = parameter;
  const length = typeof value === 'string' || Array.isArray(value) ? value.length : undefined;
  const { form, words } = FORMS[name] ?? {};
  return [
    ...outside(value, minValue, maxValue).map((limit) => `${name}: ${String(value)} is ${limit}`),
    ...outside(length, minLength, maxLength).map((limit) => `${name}: its length is ${limit}`),
    ...(form?.test(String(value)) === false ? [`${name}: '${String(value)}' is not ${words}`] : []),
  ];
}

function outside(value: unknown, min = -Infinity, max = Infinity): string[] {
  if (typeof value !== 'number') return [];
  return [...(value < min ? [`below ${min}`] : []), ...(value > max ? [`above ${max}`] : [])];
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
