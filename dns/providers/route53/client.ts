/** The Route 53 client, with retries, and with its errors in the core's terms. */
import { Route53Client, type Route53ClientConfig } from '@aws-sdk/client-route-53';
import { understandAws } from '../../aws-failure.ts';
import type { Clock } from '../../provider.ts';
import { type Query, withRetry } from '../../retry.ts';

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
  const understand = understandAws({ service: 'Route 53', missing: 'there is no such hosted zone' });
  return { client, query: withRetry({ clock, pace: PACE, understand }) };
}
