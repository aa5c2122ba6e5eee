/** Orders by state or by customer, as their lists allow, the newest first. */
import type { JSX } from 'preact';
import type { EntityFacts } from '../../server/entities.ts';
import { ofSite } from '../api.ts';
import { listQuery, recordCurl } from '../entities.ts';
import { money } from '../money.ts';
import { type Page, usePages } from '../pages.ts';
import { AsCurl } from '../parts/as-curl.tsx';
import { Badge, Choice, chosenSite, Filter, Moment, Problem, Table } from '../parts/parts.tsx';
import { hrefOf, route } from '../route.ts';
import { type RecordValues, textAt } from '../versions.ts';
import { MoreRows } from './records-list.tsx';

const PAGE = 25;
const AGAIN_MS = 3_000;
const BY = ['state', 'customer'] as const;

export function Orders({ entity }: { entity: EntityFacts }): JSX.Element {
  const site = chosenSite();
  const { orders: by = 'state', state = '', customer = '' } = route.value.query;
  const [field, is] = by === 'customer' ? (['customerId', customer] as const) : (['status', state] as const);
  const pathOf = (cursor?: string): string =>
    `${entity.collection}${listQuery(entity, is === '' ? {} : { by: field, is, direction: 'desc' }, {
      limit: PAGE,
      cursor,
    })}`;
  const pages = usePages<RecordValues>(
    `${site ?? ''} ${pathOf()}`,
    async (cursor, signal): Promise<Page<RecordValues>> =>
      site === undefined ? { items: [] } : ofSite(site, pathOf(cursor), { signal }),
    AGAIN_MS,
  );
  const { items, problem, isLoading, again } = pages;
  return (
    <section>
      <h2>Orders</h2>
      <div class="filters">
        <Choice name="orders" label="Orders by" values={BY} />
        {by === 'customer' ? (
          <Filter name="customer" label="Customer" />
        ) : (
          <Choice
            name="state"
            label="State"
            values={entity.states['status']?.order ?? []}
            empty="all, in the order of their ids"
          />
        )}
      </div>
      <Problem text={problem} again={again} />
      <Table
        caption="Orders"
        rows={items}
        keyOf={(order) => textAt(order, 'orderId')}
        none={isLoading ? 'Loading …' : 'No such orders.'}
        columns={[
          {
            name: 'Order',
            cell: (order) => (
              <a href={hrefOf('shop', ['orders', textAt(order, 'orderId')])}>{textAt(order, 'orderId')}</a>
            ),
          },
          {
            name: 'State',
            cell: (order) => <OrderState status={order['status']} reason={order['reason']} />,
          },
          {
            name: 'Total',
            isNumber: true,
            cell: (order) => money(totalOf(linesOf(order)), textAt(order, 'currency', '')),
          },
          { name: 'Goods of', cell: (order) => textAt(order, 'stockSite') },
          { name: 'Customer', cell: (order) => textAt(order, 'customerId') },
          { name: 'Ordered', cell: (order) => <Moment at={order['createdAt'] as string | undefined} /> },
        ]}
      />
      <MoreRows items={items.length} cursor={pages.cursor} isLoading={isLoading} more={pages.more} />
      {site !== undefined && <AsCurl of="these orders" text={() => recordCurl(site, { path: pathOf() })} />}
    </section>
  );
}

const GOOD = new Set(['paid', 'fulfilled']);
const BAD = new Set(['rejected', 'expired', 'cancelled']);

export function OrderState({ status, reason }: { status: unknown; reason?: unknown }): JSX.Element {
  const name = typeof status === 'string' ? status : 'not known';
  return (
    <>
      <Badge kind={GOOD.has(name) ? 'good' : BAD.has(name) ? 'bad' : 'neutral'} text={name} />
      {typeof reason === 'string' && <small> {reason}</small>}
    </>
  );
}

export interface OrderLine {
  readonly sku: string;
  readonly units: number;
  readonly priceMinor: number;
}

export function linesOf({ lines }: RecordValues): readonly OrderLine[] {
  return Array.isArray(lines) ? (lines as OrderLine[]) : [];
}

export function totalOf(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0);
}
