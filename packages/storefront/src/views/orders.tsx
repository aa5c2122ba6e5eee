import type { JSX } from 'preact';
import { totalMinor } from '../cart.ts';
import { useLoaded } from '../loaded.ts';
import { momentText } from '../money.ts';
import type { Order } from '../order.ts';
import { hrefOf } from '../route.ts';
import { useShop } from '../shop-context.ts';
import { Nothing, Price, Skeletons, Title } from './parts.tsx';

/** The newest of them. */
const SHOWN_MAX = 50;

export function Orders(): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const { value, isRetrying } = useLoaded('orders', async (signal) => {
    const query = { customerId: shop.customer, order: 'desc', limit: SHOWN_MAX } as const;
    return (await shop.tandem.GET('/orders', { params: { query }, signal })).data.items;
  });
  if (value?.length === 0) return <Nothing title={texts.myOrders} text={texts.noOrders} />;
  return (
    <>
      <Title text={texts.myOrders} />
      {value === undefined ? (
        <Skeletons count={3} kind="rows" isRetrying={isRetrying} />
      ) : (
        <ul class="lines">
          {value.map((order) => (
            <Row key={order.orderId} order={order} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ order }: { order: Order }): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const { orderId, status = 'reserving', lines, currency, createdAt } = order;
  return (
    <li>
      <div class="line-name">
        <a href={hrefOf({ view: 'order', orderId })}>
          {texts.orderOf(momentText(createdAt, shop.language.value))}
        </a>
        <span class="small">{lines.map(({ units, sku }) => `${units} × ${sku}`).join(', ')}</span>
      </div>
      <span class={`status ${status}`}>{texts.status[status] ?? status}</span>
      <Price minor={totalMinor(lines)} currency={currency} />
    </li>
  );
}
