/**
 * An order as it is replicated.
 *
 * Invariant: one owner at a time advances an order, under a rank of epoch, sequence and owner, so every site agrees
 * on the newest version. Two versions of one order can live side by side for a while, after a take-over or when a
 * client asked at two sites; what keeps them from contradicting each other is the payment, of which there is one.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { owned } from '@tandem-clouds/replication/policies/owned';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { SiteId } from '@tandem-clouds/replication/stamp';

export type OrderState =
  /** The intent; stock may be held for it at its owner. */
  | 'new'
  /** Its owner holds stock for it and may charge. */
  | 'paying'
  /** It may only be voided; when the payment says that it was charged, it is paid all the same. */
  | 'cancelling'
  /** The end. */
  | 'paid'
  | 'cancelled';

export type CancelReason = 'short' | 'declined' | 'client' | 'taken over' | 'late' | 'elsewhere';

/** What a client asks for. */
export interface OrderRequest {
  /** Derives from the client's idempotency key: the same at every site. */
  readonly orderId: string;
  /** Epoch milliseconds, the same at every site: see `birth.ts`. */
  readonly bornMs: number;
  readonly sku: string;
  readonly units: number;
  /** In the currency's smallest unit. */
  readonly amountMinor: number;
  readonly currency: string;
}

export interface Order extends OrderRequest {
  readonly owner: SiteId;
  /** One more with every take-over. */
  readonly epoch: number;
  /** One more with every version. */
  readonly sequence: number;
  readonly state: OrderState;
  /** When the state began, epoch milliseconds of the owner's clock. */
  readonly sinceMs: number;
  /** Whose stock a paid order is taken from; null before. */
  readonly stockSite: SiteId | null;
  /** Why it is being, or was, cancelled. */
  readonly reason: CancelReason | null;
}

const FIELD = 'order';
const EPOCH_DIGITS = 4;
const SEQUENCE_DIGITS = 6;

export function orderKey(orderId: string): string {
  return `order:${orderId}`;
}

/** Paid and cancelled orders never change again. */
export function isOver({ state }: Order): boolean {
  return state === 'paid' || state === 'cancelled';
}

/** The order in a record; undefined when there is none. */
export function orderOf(record: StoredRecord | undefined): Order | undefined {
  return record?.state.fields[FIELD]?.[1] as unknown as Order | undefined;
}

/** The change that stores a version of an order. */
export function orderChange(order: Order): Changes {
  const digits = (value: number, width: number): string => value.toString(36).padStart(width, '0');
  const rank = `${digits(order.epoch, EPOCH_DIGITS)}${digits(order.sequence, SEQUENCE_DIGITS)}.${order.owner}`;
  const value: Json = { ...order };
  return { [FIELD]: owned(rank, value) };
}
