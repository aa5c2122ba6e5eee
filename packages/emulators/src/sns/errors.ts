/**
 * Refusals in the XML of SNS's query protocol.
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
 * @see https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
 */
import { randomUUID } from 'node:crypto';
import type { ApiReply } from '../core/api-server.ts';
import { toXml } from '../core/xml.ts';

export const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';

const STATUS = {
  AuthorizationError: 403,
  IncompleteSignature: 400,
  InternalError: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidParameter: 400,
  InvalidParameterValue: 400,
  MissingAuthenticationToken: 403,
  NotFound: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttled: 429,
  Throttling: 400,
} as const;
export type SnsCode = keyof typeof STATUS;

export class SnsError extends Error {
  override readonly name = 'SnsError';
  readonly status: number;
  readonly code: string;

  constructor(code: SnsCode, message: string) {
    super(message);
    this.code = code;
    this.status = STATUS[code];
  }

  get reply(): ApiReply {
    const error = toXml('Error', {
      Type: this.status < 500 ? 'Sender' : 'Receiver',
      Code: this.code,
      Message: this.message,
    });
    return xml(this.status, 'ErrorResponse', `${error}<RequestId>${randomUUID()}</RequestId>`);
  }
}

/** What a fault rule asks for; a code that is none of the service's is an error of it. */
export function injectedError(code: string): SnsError {
  const known = Object.keys(STATUS).find((name) => name === code) as SnsCode | undefined;
  return new SnsError(
    known ?? (code === '' ? 'Throttled' : 'InternalError'),
    `${code}, injected by a fault rule`,
  );
}

export function xml(status: number, root: string, content: string): ApiReply {
  return {
    status,
    body: `<${root} xmlns="${NAMESPACE}">${content}</${root}>`,
    headers: { 'content-type': 'text/xml' },
  };
}
