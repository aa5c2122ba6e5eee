/** One order: where it is on its way, what it is about, what was paid, written down and sent, and what can be done. */
import type { JSX } from 'preact';
import type { EntityFacts } from '../../server/entities.ts';
import { actingHeaders, recordCurl, recordPath } from '../entities.ts';
import { siteNames } from '../live.ts';
import { money } from '../money.ts';
import { AsCurl } from '../parts/as-curl.tsx';
import { Badge, chosenSite, Moment, Table, Title } from '../parts/parts.tsx';
import { StatePicture } from '../parts/state-picture.tsx';
import { useVersions, type Version } from '../record-versions.ts';
import { hrefOf } from '../route.ts';
import { type RecordValues, textAt } from '../versions.ts';
import { RecordActions } from './records-one.tsx';
import { Picture, useProducts } from './shop.tsx';
import { Ledger } from './shop-ledger.tsx';
import { Messages } from './shop-messages.tsx';
import { linesOf, OrderState, totalOf } from './shop-orders.tsx';

export function OrderPage({ entity, id }: { entity: EntityFacts; id: string }): JSX.Element {
  const path = recordPath(entity, id);
  const headers = actingHeaders(entity);
  const { versions } = useVersions(siteNames.value, path, headers);
  const site = chosenSite();
  const chosen = versions.find((version) => version.site === site);
  const order = chosen?.record ?? versions.find(({ record }) => record !== undefined)?.record;
  const states = entity.states['status'];
  const status = order?.['status'];
  return (
    <>
      <Title text={`Order ${id}`}>
        <a href={hrefOf('shop')}>All orders</a>
        <a href={hrefOf('records', [entity.name, id])}>As a record, at every site</a>
      </Title>
      <At versions={versions} />
      {states !== undefined && (
        <StatePicture field="status" states={states} now={typeof status === 'string' ? status : undefined} />
      )}
      {order !== undefined && (
        <>
          <Lines order={order} />
          <Payment order={order} />
          <RecordActions entity={entity} id={id} versions={versions} only={undefined} />
          <Ledger orderId={id} since={textAt(order, 'createdAt')} />
          <Messages orderId={id} />
        </>
      )}
      {site !== undefined && <AsCurl of="this order" text={() => recordCurl(site, { path, headers })} />}
    </>
  );
}

/** At each site by itself: one may be behind, or silent. */
function At({ versions }: { versions: readonly Version[] }): JSX.Element {
  return (
    <ul class="losses">
      {versions.map(({ site, state, record, problem }) => (
        <li key={site}>
          <strong>{site}</strong>:{' '}
          {record === undefined ? (
            <span class={state === 'silent' ? 'problem' : 'muted'}>
              {problem ?? (state === 'asking' ? 'Asking …' : 'not there')}
            </span>
          ) : (
            <>
              <OrderState status={record['status']} reason={record['reason']} />
              {state === 'silent' && <span class="problem"> no answer any more: {problem}</span>}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function Lines({ order }: { order: RecordValues }): JSX.Element {
  const lines = linesOf(order).map((line, at) => ({ ...line, at }));
  const products = useProducts(lines.map(({ sku }) => sku));
  const currency = textAt(order, 'currency', '');
  return (
    <section>
      <h2>Lines</h2>
      <Table
        caption="Lines"
        rows={lines}
        keyOf={({ at }) => String(at)}
        none="It has no lines."
        columns={[
          {
            name: 'Article',
            cell: ({ sku }) => (
              <span class="article-head">
                <Picture product={products.get(sku)} />
                <a href={hrefOf('records', ['product', sku])}>{products.get(sku)?.name ?? sku}</a>
              </span>
            ),
          },
          { name: 'Units', isNumber: true, cell: ({ units }) => units },
          { name: 'Price', isNumber: true, cell: ({ priceMinor }) => money(priceMinor, currency) },
          {
            name: 'Sum',
            isNumber: true,
            cell: ({ units, priceMinor }) => money(units * priceMinor, currency),
          },
        ]}
      />
      <p>
        <strong>Total: {money(totalOf(lines), currency)}</strong>
      </p>
    </section>
  );
}

interface Refunded {
  readonly amountMinor: number;
  readonly status: string;
  readonly refundId?: string;
}

function Payment({ order }: { order: RecordValues }): JSX.Element {
  const currency = textAt(order, 'currency', '');
  const asked = Object.entries((order['refunds'] ?? {}) as Record<string, number>);
  const answered = (order['refunded'] ?? {}) as Record<string, Refunded>;
  const at = (field: string): JSX.Element => <Moment at={order[field] as number | undefined} />;
  const text = (field: string): string => textAt(order, field);
  return (
    <section>
      <h2>Payment</h2>
      <dl>
        <dt>Goods held by</dt>
        <dd>
          {text('stockSite')}, until {at('reservedUntilMs')}
        </dd>
        <dt>Being charged since</dt>
        <dd>{at('payingSinceMs')}</dd>
        <dt>Payment</dt>
        <dd>{text('paymentId')}</dd>
        <dt>Paid</dt>
        <dd>
          {at('paidAtMs')} for the stock of {text('paidFrom')}
        </dd>
        {order['failedSku'] !== undefined && (
          <>
            <dt>Failed for</dt>
            <dd>{text('failedSku')}</dd>
          </>
        )}
      </dl>
      {asked.length > 0 && (
        <Table
          caption="Refunds"
          rows={asked}
          keyOf={([refund]) => refund}
          none=""
          columns={[
            { name: 'Refund', cell: ([refund]) => refund },
            { name: 'Amount', isNumber: true, cell: ([, amount]) => money(amount, currency) },
            {
              name: 'How far',
              cell: ([refund]) => {
                const { status } = answered[refund] ?? {};
                return (
                  <Badge kind={status === undefined ? 'neutral' : 'good'} text={status ?? 'asked for'} />
                );
              },
            },
          ]}
        />
      )}
    </section>
  );
}
