/**
 * What Azure Cost Management says of some days of a subscription, as charges. Two questions: what is on the bill, and what
 * it comes to when commitments are shared out.
 * @see https://learn.microsoft.com/rest/api/cost-management/query/usage
 */
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { CATEGORIES, type Category, type Charge } from './charge.ts';
import { answered, type Asked } from './cost-explorer.ts';

export interface AzureSignIn {
  /** Resource Manager. */
  readonly endpoint: URL;
  /** `/subscriptions/…`, perhaps with a resource group. */
  readonly scope: string;
  readonly token: () => Promise<string>;
}

const VERSION = '2025-03-01';
const PAGES_MAX = 100;
const TYPES = { billed: 'ActualCost', effective: 'AmortizedCost' } as const;

/** ChargeType; what is not here is usage. */
const KINDS: Readonly<Record<string, Category>> = {
  Purchase: 'Purchase',
  Tax: 'Tax',
  Refund: 'Correction',
  Credit: 'Credit',
  RoundingAdjustment: 'Adjustment',
  Adjustment: 'Adjustment',
};

interface Page {
  readonly properties: {
    readonly nextLink?: string | null;
    readonly columns: readonly { readonly name: string }[];
    readonly rows: readonly (readonly unknown[])[];
  };
}

/** @throws CommandError with what the service said. */
export async function* askCostManagement(asked: Asked, signIn: AzureSignIn): AsyncGenerator<Charge> {
  for (const [column, type] of Object.entries(TYPES)) {
    for await (const row of rowsOf(type, asked, signIn)) {
      const amount = Number(row('Cost'));
      if (!Number.isFinite(amount))
        throw new CommandError(`Cost Management: '${String(row('Cost'))}' is no amount`);
      yield {
        cloud: 'azure',
        day: dayOf(row('UsageDate')),
        service: String(row('ServiceName')) || 'without a service',
        currency: String(row('Currency')),
        category: asked.byTag === undefined ? kindOf(row('ChargeType')) : 'Usage',
        billed: column === 'billed' ? amount : 0,
        effective: column === 'effective' ? amount : 0,
        list: undefined,
        tags: new Map([
          ...(asked.app === undefined ? [] : [['app', asked.app] as const]),
          ...(asked.byTag === undefined ? [] : tagOf(asked.byTag, row('TagValue'))),
        ]),
        ...{ resource: '', quantity: 0, unit: '' },
      };
    }
  }
}

function kindOf(type: unknown): Category {
  return KINDS[String(type)] ?? CATEGORIES.find((one) => one === type) ?? 'Usage';
}

function tagOf(name: string, value: unknown): [string, string][] {
  return typeof value === 'string' && value !== '' ? [[name, value]] : [];
}

/** As a number: 20261103. */
function dayOf(value: unknown): string {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(String(value)) ?? [];
  if (day === undefined) throw new CommandError(`Cost Management: '${String(value)}' is no day`);
  return `${year}-${month}-${day}`;
}

async function* rowsOf(
  type: string,
  { from, to, app, byTag }: Asked,
  { endpoint, scope, token }: AzureSignIn,
): AsyncGenerator<(column: string) => unknown> {
  const last = new Date(Date.parse(`${to}T00:00:00Z`) - 1).toISOString().slice(0, 10);
  const body = JSON.stringify({
    type,
    timeframe: 'Custom',
    timePeriod: { from: `${from}T00:00:00Z`, to: `${last}T23:59:59Z` },
    dataset: {
      granularity: 'Daily',
      aggregation: { Cost: { name: 'Cost', function: 'Sum' } },
      grouping: [
        { type: 'Dimension', name: 'ServiceName' },
        byTag === undefined ? { type: 'Dimension', name: 'ChargeType' } : { type: 'TagKey', name: byTag },
      ],
      ...(app !== undefined && { filter: { tags: { name: 'app', operator: 'In', values: [app] } } }),
    },
  });
  let url = new URL(`${scope}/providers/Microsoft.CostManagement/query?api-version=${VERSION}`, endpoint);
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' };
    const response = await answered('Cost Management', url, { method: 'POST', headers, body });
    if (response.status === 204) return;
    const { properties } = (await response.json()) as Page;
    const names = properties.columns.map(({ name }) => name);
    for (const row of properties.rows) yield (column) => row[names.indexOf(column)];
    if (!properties.nextLink) return;
    url = new URL(properties.nextLink);
    // The token goes nowhere else.
    if (url.origin !== endpoint.origin)
      throw new CommandError(`Cost Management names ${url.origin} for its next page, not ${endpoint.origin}`);
  }
  throw new CommandError(`Cost Management: more than ${PAGES_MAX} pages; ask for a month with --month`);
}
