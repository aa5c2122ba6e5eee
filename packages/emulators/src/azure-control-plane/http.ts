/** What the parts of the emulator share: a request that was read, and an answer. */

export interface Request {
  readonly method: string;
  readonly host: string;
  /** Without the query; as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The bearer token, or undefined. */
  readonly bearer: string | undefined;
  readonly type: string;
  readonly body: Buffer;
}

export interface Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface ArmError {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly ArmError[];
}

/**
 * An error as Resource Manager answers it.
 * @see https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 */
export function armError(
  status: number,
  code: string,
  message: string,
  details?: readonly ArmError[],
): Response {
  return { status, body: { error: { code, message, ...(details && { details }) } } };
}
