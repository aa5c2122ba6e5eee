/** An order as the shop shows it. Pure. */
import type { paths } from '@tandem-clouds/client';

export type Order = paths['/orders/{orderId}']['get']['responses'][200]['content']['application/json'];

/** Where an order is, as a customer sees it. */
export type Stage =
  'holding' | 'to_pay' | 'to_confirm' | 'paying' | 'cancelling' | 'paid' | 'refunded' | 'over';

export function stageOf(order: Pick<Order, 'status' | 'action'>): Stage {
  const { status = 'reserving' } = order;
  switch (status) {
    case 'reserved':
      return 'to_pay';
    case 'paying':
      return actionUrl(order) === undefined ? 'paying' : 'to_confirm';
    case 'cancelling':
      return 'cancelling';
    case 'paid':
    case 'fulfilled':
      return 'paid';
    case 'refunded':
      return 'refunded';
    case 'rejected':
    case 'expired':
    case 'cancelled':
      return 'over';
    case 'reserving':
      return 'holding';
  }
}

/** Nothing more happens to it unless somebody asks for it. */
export function isSettled(order: Pick<Order, 'status' | 'action'>): boolean {
  return ['paid', 'refunded', 'over'].includes(stageOf(order));
}

/** Where the customer confirms the payment; undefined unless it is an address that a browser should follow. */
export function actionUrl({ action }: Pick<Order, 'action'>): string | undefined {
  const url = action?.['url'];
  return url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}
