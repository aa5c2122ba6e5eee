/** Request bodies: their size, their media type, their JSON, their schema; in that order. */
import type { ValidateFunction } from 'ajv';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { bodyBytesMax } from '../bounds.ts';
import { InvalidError, MalformedError, TooLargeError, UnsupportedMediaTypeError } from '../errors.ts';
import { validate } from '../validation/validate.ts';
import { malformedText } from './well-formed.ts';

/** `application/json`, or any type with the suffix `+json` (RFC 6839), with or without parameters. */
const JSON_TYPE = /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads and validates the JSON body.
 * @throws TooLargeError @throws UnsupportedMediaTypeError @throws MalformedError @throws InvalidError
 */
export function readBody(event: APIGatewayProxyEventV2, check: ValidateFunction): unknown {
  const text = bodyText(event);
  if (!JSON_TYPE.test(event.headers['content-type'] ?? '')) {
    throw new UnsupportedMediaTypeError('the body must be application/json');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MalformedError('the body is not JSON', { cause });
  }
  const failures = [...malformedText(value), ...validate(check, value)];
  if (failures.length > 0) {
    const count = failures.length === 1 ? '1 rule is' : `${failures.length} rules are`;
    throw new InvalidError(`the body is invalid: ${count} broken`, failures);
  }
  return value;
}

function bodyText({ body = '', isBase64Encoded }: APIGatewayProxyEventV2): string {
  if (!isBase64Encoded && body.length <= bodyBytesMax / 3) return body;
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > bodyBytesMax) {
    throw new TooLargeError(`the body has ${bytes.length} bytes, at most ${bodyBytesMax} are read`);
  }
  return isBase64Encoded ? bytes.toString('utf8') : body;
}
