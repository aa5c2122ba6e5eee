/**
 * What Secrets Manager answers when it refuses. All of its own errors have the status 400, but `InternalServiceError`.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
 */
import type { AwsJsonError } from '../core/aws-json-server.ts';

export class SecretsManagerError extends Error {
  override readonly name = 'SecretsManagerError';
  /** As in `__type`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export function wireErrorOf(code: string, message: string): AwsJsonError {
  return { status: SERVER_FAULTS.has(code) ? 500 : 400, type: code, message };
}

const SERVER_FAULTS = new Set(['InternalServiceError', 'InternalFailure', 'ServiceUnavailable']);

/** Of a parameter, as the service's framework words it. */
export function invalid(message: string): SecretsManagerError {
  return new SecretsManagerError('ValidationException', message);
}

export function notFound(label?: string): SecretsManagerError {
  const what = label === undefined ? 'secret.' : `secret value for ${label}`;
  return new SecretsManagerError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified ${what}`,
  );
}

export function markedForDeletion(): SecretsManagerError {
  return new SecretsManagerError(
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

export function alreadyExists(name: string): SecretsManagerError {
  return new SecretsManagerError(
    'ResourceExistsException',
    `The operation failed because the secret ${name} already exists.`,
  );
}
