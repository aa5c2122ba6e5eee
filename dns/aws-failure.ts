/** What an error of a client of the AWS SDK means, in the core's terms. */
import { own } from '@tandem-clouds/command-line/own';
import { ProviderError, type ProviderFault } from './errors.ts';
import type { Failure } from './retry.ts';

/**
 * Codes: https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html, and those of each action.
 */
const FAULTS: Readonly<Record<string, ProviderFault>> = {
  AccessDenied: 'credentials',
  AccessDeniedException: 'credentials',
  CredentialsProviderError: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  IncompleteSignature: 'credentials',
  InvalidClientTokenId: 'credentials',
  InvalidSignatureException: 'credentials',
  MissingAuthenticationToken: 'credentials',
  OptInRequired: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  UnrecognizedClientException: 'credentials',
  LimitsExceeded: 'limit',
  TooManyHealthChecks: 'limit',
  NoSuchHostedZone: 'not-found',
  ProvisionedConcurrencyConfigNotFoundException: 'not-found',
  ResourceNotFoundException: 'not-found',
  PriorRequestNotComplete: 'throttled',
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
};

interface Words {
  readonly service: string;
  /** Of what was not found. */
  readonly missing: string;
}

export function understandAws({ service, missing }: Words): (cause: unknown) => Failure {
  const meaning: Readonly<Record<ProviderFault, string>> = {
    credentials: 'the AWS credentials are missing, wrong or not allowed to do this',
    limit: 'a limit of the AWS account is reached',
    'not-found': missing,
    rejected: `${service} refused the request`,
    throttled: `${service} is still throttling after many tries`,
    unavailable: `${service} does not answer`,
  };
  return (cause) => {
    const {
      name = '',
      message = '',
      code,
      $metadata,
    } = cause as Partial<Error> & {
      code?: string;
      $metadata?: { httpStatusCode?: number };
    };
    const status = $metadata?.httpStatusCode;
    const fault = own(FAULTS, name) ?? (status === undefined || status >= 500 ? 'unavailable' : 'rejected');
    const detail = [name, message || code].filter(Boolean).join(': ');
    return { error: new ProviderError(fault, `${meaning[fault]} (${detail})`, { cause }) };
  };
}
