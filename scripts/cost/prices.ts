/**
 * List prices, USD, pay as you go, without free allowances, discounts or taxes. One place, so that a new price list is
 * one small change. Not quotes: check them on the pages below before you budget.
 *
 * `read` says where a figure was read when, since the vendors' own pages fill in their prices by script and could not
 * all be kept as text.
 */

/** A price per million units. */
export interface Price {
  readonly usdPerMillion: number;
  readonly unit: string;
  readonly region: string;
  /** The vendor's page. */
  readonly source: string;
  readonly read: string;
}

export const PRICES = {
  dynamoDbWrite: {
    usdPerMillion: 0.625,
    unit: 'write request units (1 kB each), on demand, Standard table class',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    read: 'airbyte.com/data-engineering-resources/dynamodb-pricing, July 2025; halved by AWS in November 2024',
  },
  dynamoDbRead: {
    usdPerMillion: 0.125,
    unit: 'read request units (4 kB, strongly consistent), on demand, Standard table class',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    read: 'as for writes',
  },
  sqsRequest: {
    usdPerMillion: 0.4,
    unit: 'requests to standard queues (64 kB each), the first 100 billion a month',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/sqs/pricing/',
    read: 'cloudburn.io/blog/amazon-sqs-pricing, March 2026',
  },
  cosmosRequestUnit: {
    usdPerMillion: 0.25,
    unit: 'request units, serverless, NoSQL API',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/cosmos-db/serverless/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  serviceBusOperation: {
    usdPerMillion: 0.05,
    unit: 'operations (64 kB each), Basic tier',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/service-bus/',
    read: 'from memory of the page, 2025; unconfirmed; the ratio of Basic to Standard on azure.cn agrees',
  },
} as const satisfies Readonly<Record<string, Price>>;

/** USD for a million times `amount` units. */
export function usdPerMillion(price: Price, amount: number): number {
  return price.usdPerMillion * amount;
}
