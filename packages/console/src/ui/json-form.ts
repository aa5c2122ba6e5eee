/** A form from a JSON Schema, one field for each property, and what its texts say. Pure. */

/** What is read of a schema. */
export interface FormSchema {
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface FormField {
  readonly name: string;
  /** `json`: an array, an object, or what the schema leaves open. */
  readonly kind: 'text' | 'lines' | 'number' | 'choice' | 'flag' | 'json';
  readonly isRequired: boolean;
  readonly choices: readonly string[];
  /** A counter: what is typed is added. */
  readonly isIncrement: boolean;
  /** An empty text takes it away. */
  readonly isNullable: boolean;
  /** The bounds, in words; empty: none. */
  readonly note: string;
}

export type Texts = Readonly<Record<string, string>>;

export interface ReadForm {
  readonly body: Readonly<Record<string, unknown>>;
  /** Field → why its text is no value. */
  readonly problems: Readonly<Record<string, string>>;
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Longer texts have a field of several lines. */
const LINE_CHARACTERS_MAX = 300;

export function formFields({ required = [], properties }: FormSchema): readonly FormField[] {
  return Object.entries(properties).map(([name, given]) => {
    const { schema, isNullable } = withoutNull(given as Schema);
    const increment = schema.properties?.['increment'];
    const counted = increment ?? schema;
    return {
      name,
      kind: kindOf(counted),
      isRequired: required.includes(name),
      choices: (counted.enum ?? []).map(String),
      isIncrement: increment !== undefined,
      isNullable,
      note: noteOf(counted),
    };
  });
}

/** Of `anyOf` the first that is not null: a set's whole array before what to add and remove. */
function withoutNull(schema: Schema): { readonly schema: Schema; readonly isNullable: boolean } {
  const { anyOf } = schema;
  if (anyOf === undefined) return { schema, isNullable: false };
  const isNullable = anyOf.some(({ type }) => type === 'null');
  return { schema: anyOf.find(({ type }) => type !== 'null') ?? {}, isNullable };
}

function kindOf({ type, enum: values, maxLength = 0 }: Schema): FormField['kind'] {
  if (values !== undefined && type === 'string') return 'choice';
  switch (type) {
    case 'string':
      return maxLength > LINE_CHARACTERS_MAX ? 'lines' : 'text';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'flag';
    case undefined:
    default:
      return 'json';
  }
}

function noteOf(schema: Schema): string {
  const { format, pattern, type } = schema;
  const within = (unit: string, from?: number, to?: number): string => {
    if (to === undefined || to >= Number.MAX_SAFE_INTEGER)
      return from === undefined || from <= Number.MIN_SAFE_INTEGER ? '' : `at least ${from}${unit}`;
    return from === undefined ? `at most ${to}${unit}` : `${from} to ${to}${unit}`;
  };
  return [
    type === 'integer' ? 'a whole number' : '',
    within(' characters', schema.minLength, schema.maxLength),
    within('', schema.minimum, schema.maximum),
    within(' entries', schema.minItems, schema.maxItems),
    format ?? '',
    pattern === undefined ? '' : `matches ${pattern}`,
  ]
    .filter((each) => each !== '')
    .join(', ');
}

/** The texts that show a record; a counter's is empty, for what is typed there is added. */
export function textsOf(fields: readonly FormField[], record: Readonly<Record<string, unknown>>): Texts {
  return Object.fromEntries(
    fields.map((field) => [field.name, field.isIncrement ? '' : textOf(field, record[field.name])]),
  );
}

function textOf({ kind }: FormField, value: unknown): string {
  if (value === undefined || value === null) return '';
  return kind !== 'json' && typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** What is to be sent of a new record, or to an action; what is empty is left out. */
export function readForm(fields: readonly FormField[], texts: Texts): ReadForm {
  return collect(
    fields.filter(({ name }) => (texts[name] ?? '') !== ''),
    texts,
  );
}

/** What is to be sent to make the record what the texts say: the fields whose texts have changed. */
export function readChange(
  fields: readonly FormField[],
  texts: Texts,
  record: Readonly<Record<string, unknown>>,
): ReadForm {
  const before = textsOf(fields, record);
  return collect(
    fields.filter(({ name }) => (texts[name] ?? '') !== (before[name] ?? '')),
    texts,
  );
}

function collect(fields: readonly FormField[], texts: Texts): ReadForm {
  const body: Record<string, unknown> = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const read = valueOf(field, texts[field.name] ?? '');
    if (read.problem !== undefined) problems[field.name] = read.problem;
    else body[field.name] = field.isIncrement ? { increment: read.value } : read.value;
  }
  return { body, problems };
}

function valueOf(
  { kind, isNullable }: FormField,
  text: string,
): { readonly value?: unknown; readonly problem?: string } {
  if (text === '' && isNullable) return { value: null };
  switch (kind) {
    case 'number':
      // What cannot be held exactly would be another number.
      return /^-?\d{1,16}(\.\d{1,10})?$/.test(text) && Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER
        ? { value: Number(text) }
        : { problem: 'is no number' };
    case 'flag':
      return { value: text === 'true' };
    case 'json':
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { problem: 'is no JSON' };
      }
    case 'text':
    case 'lines':
    case 'choice':
      return { value: text };
  }
}

/** The field that a JSON Pointer is about: `lines` of `/lines/0/sku`. */
export function fieldAt(pointer: string): string {
  const [first = ''] = pointer.replace(/^\//, '').split('/');
  return first.replaceAll('~1', '/').replaceAll('~0', '~');
}
