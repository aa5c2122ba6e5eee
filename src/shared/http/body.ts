/**
 * The one reader of request bodies: length, size, media type, bytes, JSON, schema; in that order.
 *
 * Invariant: what it returns is what the client's bytes say. Nothing is replaced, and nothing is guessed.
 */
import type { ValidateFunction } from 'ajv';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { MalformedError, TooLargeError } from '@tandem-clouds/replication/errors';
import { bodyBytesMax } from '../bounds.ts';
import { InvalidError, LengthRequiredError, UnsupportedMediaTypeError } from '../errors.ts';
import { validate } from '../validation/validate.ts';
import { parseJson } from './json-text.ts';
import { parseMediaType } from './media-type.ts';
import type { Route } from './route.ts';

/** What is read. A JSON Merge Patch (RFC 7396) is JSON whose meaning the route gives it. */
export const BODY_TYPES: readonly string[] = ['application/json', 'application/merge-patch+json'];
/** JSON has no `charset` (RFC 8259, section 11); clients send the only one that there is all the same. */
const CHARSETS = new Set(['utf-8', 'utf8']);

/** What a route takes as its body. */
export interface BodyRules extends Pick<Route, 'whenEmpty' | 'explain'> {
  readonly check: ValidateFunction;
  /** Levels of nesting, where it is not `jsonDepthMax`. */
  readonly depthMax?: number | undefined;
}

type Event = Pick<APIGatewayProxyEventV2, 'headers' | 'isBase64Encoded'> & {
  // API Gateway and its emulators say null as well.
  readonly body?: string | null | undefined;
};

/**
 * Reads and validates the JSON body.
 * @throws LengthRequiredError @throws TooLargeError @throws UnsupportedMediaTypeError @throws MalformedError @throws InvalidError
 */
export function readBody(event: Event, { check, depthMax, whenEmpty, explain }: BodyRules): unknown {
  checkLength(event.headers);
  const bytes = bytesOf(event);
  if (bytes.length > bodyBytesMax) {
    throw new TooLargeError(`the body has ${bytes.length} bytes, at most ${bodyBytesMax} are read`);
  }
  const isEmpty = bytes.length === 0;
  const isLeftOut = whenEmpty !== undefined && isEmpty;
  // Nothing was sent: what is wrong is that, and not what is said about it.
  if (isEmpty && !isLeftOut) throw new MalformedError(`a JSON body is required${namesRequired(check)}`);
  if (!isLeftOut) checkType(event.headers);
  const value = isLeftOut ? whenEmpty : parseJson(textOf(bytes, event), depthMax);
  const failures = validate(check, value).map((failure) => explain?.(failure) ?? failure);
  if (failures.length > 0) {
    const count = failures.length === 1 ? '1 rule is' : `${failures.length} rules are`;
    throw new InvalidError(`the body is invalid: ${count} broken`, failures);
  }
  return value;
}

/** `, with by and seats`: what an object must have at least. */
function namesRequired(check: ValidateFunction): string {
  const names = validate(check, {}).flatMap(({ rule, pointer }) =>
    rule === 'required' ? [pointer.slice(1)] : [],
  );
  return names.length === 0 ? '' : `, with ${names.join(', ')}`;
}

/**
 * The Functions host reads a body only where the request states its length; of one that is sent in chunks nothing reaches
 * a function (docs/decisions/0065-no-http-streams.md). So such a request is refused at both clouds, and not for what
 * its body seems to lack. API Gateway hands over the whole body, and the header with it.
 * @throws LengthRequiredError (RFC 9110, section 15.5.12)
 * @see https://github.com/Azure/azure-functions-nodejs-worker/issues/524
 * @see https://github.com/dougmoscrop/serverless-http/pull/309
 */
function checkLength(headers: Event['headers']): void {
  if (headers['transfer-encoding'] === undefined) return;
  throw new LengthRequiredError('the body must be sent with a Content-Length, not in chunks');
}

function bytesOf({ body, isBase64Encoded }: Event): Buffer {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
}

/** @throws UnsupportedMediaTypeError for a type, a charset or a coding that is not read here */
function checkType(headers: Event['headers']): void {
  const media = parseMediaType(headers['content-type'] ?? '');
  if (media === undefined || !BODY_TYPES.includes(media.type)) {
    throw new UnsupportedMediaTypeError(`the body must be ${BODY_TYPES.join(' or ')}`);
  }
  if (!media.charsets.every((charset) => CHARSETS.has(charset))) {
    throw new UnsupportedMediaTypeError('the body must be in UTF-8');
  }
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity') {
    throw new UnsupportedMediaTypeError('the body must be sent without a Content-Encoding');
  }
}

/** Skips a byte order mark, as RFC 8259, section 8.1, allows a reader to. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** @throws MalformedError when the bytes are not UTF-8 */
function textOf(bytes: Buffer, event: Event): string {
  let text: string | undefined;
  try {
    text = UTF8.decode(bytes);
  } catch {
    // Refused below.
  }
  if (text === undefined || wasReplaced(text, bytes, event)) {
    throw new MalformedError('the body is not valid UTF-8');
  }
  return text;
}

/**
 * A gateway that hands a body over as text has put U+FFFD where the bytes were not UTF-8. It then rarely has the length
 * that the client sent.
 */
function wasReplaced(text: string, bytes: Buffer, { headers, isBase64Encoded }: Event): boolean {
  const sent = headers['content-length'];
  return !isBase64Encoded && sent !== undefined && text.includes('\uFFFD') && Number(sent) !== bytes.length;
}
