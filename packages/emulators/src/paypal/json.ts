/** Reading the JSON of a request. */
import type { ApiCall } from '../core/api-server.ts';
import { badRequest, PayPalError } from './errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** @throws PayPalError when it is no JSON object, or of another media type. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller looks at what it gets
export function bodyOf<Value = Fields>({ body, headers }: ApiCall): Value {
  if (body === '') return {} as Value;
  if (headers['content-type']?.startsWith('application/json') !== true) throw new PayPalError(415);
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Value;
  } catch {
    // Refused below.
  }
  throw new PayPalError(400, [
    { issue: 'MALFORMED_REQUEST_JSON', description: 'The request JSON is not well formed.' },
  ]);
}

/** @throws PayPalError */
export function text(
  fields: Fields,
  name: string,
  { max, at = '' }: { max: number; at?: string },
): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw badRequest('INVALID_PARAMETER_SYNTAX', `${at}/${name}`);
  if (value === '' || value.length > max)
    throw badRequest(
      'INVALID_STRING_LENGTH',
      `${at}/${name}`,
      'The value of a field is either too short or too long.',
    );
  return value;
}

/** @throws PayPalError */
export function needed(fields: Fields, name: string, options: { max: number; at?: string }): string {
  const value = text(fields, name, options);
  if (value !== undefined) return value;
  throw badRequest(
    'MISSING_REQUIRED_PARAMETER',
    `${options.at ?? ''}/${name}`,
    'A required field / parameter is missing.',
  );
}

/** @throws PayPalError for a field that the API does not know. */
export function onlyKnown(fields: Fields, known: readonly string[], at = ''): void {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw badRequest('UNSUPPORTED_PARAMETER', `${at}/${unknown}`, 'Not served by this emulator.');
}
