/** The Route 53 client, with retries, and with its errors in the core's terms. */
import { Route53Client, type Route53ClientConfig } from '@aws-sdk/client-route-53';
import { own } from '@tandem-clouds/command-line/own';
import { ProviderError, type ProviderFault } from '../../errors.ts';
import type { Clock } from '../../provider.ts';
import { type Failure, type Query, withRetry } from '../../retry.ts';

/** All requests of an account: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html */
const PACE = { burst: 5, perSecond: 5 } as const;
/** Route 53 is one global service, signed for this region. */
const REGION = 'us-east-1';

export interface Connection {
  readonly client: Route53Client;
  readonly query: Query;
}

export function connect(clock: Clock, config: Route53ClientConfig = {}): Connection {
  const client = new Route53Client({ region: REGION, ...config, maxAttempts: 1 });
  return { client, query: withRetry({ clock, pace: PACE, understand }) };
}

/** Codes: https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html and those of each action. */
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
  PriorRequestNotComplete: 'throttled',
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
};

const MEANING: Readonly<Record<ProviderFault, string>> = {
  credentials: 'the AWS credentials are missing, wrong or not allowed to do this',
  limit: 'a limit of the AWS account is reached',
  'not-found': 'there is no such hosted zone',
  rejected: 'Route 53 refused the request',
  throttled: 'Route 53 is still throttling after many tries',
  unavailable: 'Route 53 does not answer',
};

function understand(cause: unknown): Failure {
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
  return { error: new ProviderError(fault, `${MEANING[fault]} (${detail})`, { cause }) };
}
