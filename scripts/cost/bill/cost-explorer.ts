/**
 * What AWS Cost Explorer says of some days, as charges. Each page of an answer costs 0.01 USD.
 *
 * It groups by two things at most, so the kind of record and the service; with a stage in place of the kind, credits and
 * taxes are told by their service alone.
 * @see https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
 */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { type Category, type Charge, tagName } from './charge.ts';

/** Both from the SDK's own chain, in the order of every AWS tool. */
export interface AwsSignIn {
  /** Of Cost Explorer unless a test has one of its own. */
  readonly endpoint: URL;
  readonly credentials: () => Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  }>;
}

/** `to` is not included. */
export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly app: string | undefined;
  readonly byTag: string | undefined;
}

/** Its one region, whatever the region of a site is. */
const REGION = 'us-east-1';
const TARGET = 'AWSInsightsIndexService.GetCostAndUsage';
const PAGES_MAX = 100;
const TIMEOUT_MS = 60_000;

/** RECORD_TYPE; what is not here is usage: discounts by agreement, usage under a commitment. */
const KINDS: Readonly<Record<string, Category>> = {
  Credit: 'Credit',
  Refund: 'Correction',
  Tax: 'Tax',
  Fee: 'Purchase',
  RIFee: 'Purchase',
  SavingsPlanRecurringFee: 'Purchase',
  SavingsPlanUpfrontFee: 'Purchase',
};

interface Page {
  readonly NextPageToken?: string;
  readonly ResultsByTime: readonly {
    readonly TimePeriod: { readonly Start: string };
    readonly Groups: readonly {
      readonly Keys: readonly string[];
      readonly Metrics: Readonly<Record<string, { readonly Amount: string; readonly Unit: string }>>;
    }[];
  }[];
}

/** @throws CommandError with what the service said. */
export async function* askCostExplorer(asked: Asked, signIn: AwsSignIn): AsyncGenerator<Charge> {
  const { from, to, app, byTag } = asked;
  let token: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page: Page = await call(signIn, {
      TimePeriod: { Start: from, End: to },
      Granularity: 'DAILY',
      Metrics: ['UnblendedCost', 'AmortizedCost'],
      GroupBy: [
        { Type: 'DIMENSION', Key: 'SERVICE' },
        byTag === undefined ? { Type: 'DIMENSION', Key: 'RECORD_TYPE' } : { Type: 'TAG', Key: byTag },
      ],
      ...(app !== undefined && { Filter: { Tags: { Key: 'app', Values: [app] } } }),
      ...(token !== undefined && { NextPageToken: token }),
    });
    for (const { TimePeriod, Groups } of page.ResultsByTime)
      for (const group of Groups) yield chargeOf(TimePeriod.Start, group, asked);
    token = page.NextPageToken;
    if (token === undefined) return;
  }
  throw new CommandError(`Cost Explorer: more than ${PAGES_MAX} pages; ask for a month with --month`);
}

function chargeOf(
  day: string,
  { Keys: [service = '', second = ''], Metrics }: Page['ResultsByTime'][number]['Groups'][number],
  { app, byTag }: Asked,
): Charge {
  const { UnblendedCost: billed, AmortizedCost: effective } = Metrics;
  if (billed === undefined || effective === undefined)
    throw new CommandError(`Cost Explorer: the costs of ${service} on ${day} are not in its answer`);
  // A group by a tag is called `stage$prod`, and `stage$` where there is none.
  const [, value = ''] = second.split(/\$(.*)/s);
  return {
    ...{ cloud: 'aws', day: day.slice(0, 10), service, currency: billed.Unit },
    category: byTag === undefined ? (KINDS[second] ?? 'Usage') : /^tax$/i.test(service) ? 'Tax' : 'Usage',
    billed: Number(billed.Amount),
    effective: Number(effective.Amount),
    list: undefined,
    tags: new Map([
      ...(app === undefined ? [] : [['app', app] as const]),
      ...(byTag === undefined || value === '' ? [] : [[tagName(byTag), value] as const]),
    ]),
    ...{ resource: '', quantity: 0, unit: '' },
  };
}

async function call({ endpoint, credentials }: AwsSignIn, body: object): Promise<Page> {
  const signer = new SignatureV4({ credentials, region: REGION, service: 'ce', sha256: Sha256 });
  const text = JSON.stringify(body);
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: endpoint.protocol,
    hostname: endpoint.hostname,
    path: '/',
    headers: { host: endpoint.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': TARGET },
    body: text,
  });
  const response = await answered('Cost Explorer', endpoint, { method: 'POST', headers, body: text });
  return (await response.json()) as Page;
}

/** @throws CommandError where the service does not answer, or refuses, with its own words. */
export async function answered(service: string, url: URL, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw new CommandError(`${service}: ${url.origin} does not answer`, { cause });
  }
  if (response.ok) return response;
  const after = response.headers.get('retry-after');
  const wait = after === null ? '' : `; again in ${after} s`;
  throw new CommandError(
    `${service} answers ${response.status}${wait}: ${(await response.text()).slice(0, 500)}`,
  );
}
