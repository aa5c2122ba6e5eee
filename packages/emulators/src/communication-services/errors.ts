/**
 * What Communication Services answers when it refuses a whole request.
 * @see https://learn.microsoft.com/rest/api/communication/errorcodes
 */
import type { ApiReply } from '../core/api-server.ts';

export class CommunicationError extends Error {
  override readonly name = 'CommunicationError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    { headers = {} }: { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  get reply(): ApiReply {
    const { status, code, message, headers } = this;
    return { status, body: { error: { code, message } }, headers };
  }
}

export const badRequest = (message: string): CommunicationError =>
  new CommunicationError(400, 'BadRequest', message);

export const denied = (why: string): CommunicationError =>
  new CommunicationError(401, 'Denied', `Denied by the resource provider. ${why}`);

const NAMES: Readonly<Record<number, string>> = {
  401: 'Denied',
  403: 'Forbidden',
  404: 'NotFound',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  503: 'ServiceUnavailable',
};

/** @param code An HTTP status; 429 unless it is said. */
export function injectedError(code: string): CommunicationError {
  const status = code === '' ? 429 : Number(code);
  const name = NAMES[status];
  return new CommunicationError(
    name === undefined ? 500 : status,
    name ?? code,
    `${code}, injected by a fault rule`,
    {
      headers: status === 429 ? { 'retry-after': '1' } : {},
    },
  );
}
