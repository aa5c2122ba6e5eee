/** The objects as they are kept; `shapes.ts` has what the API shows of them. */

export type OrderStatus = 'CREATED' | 'APPROVED' | 'PAYER_ACTION_REQUIRED' | 'COMPLETED' | 'VOIDED';

export interface Order {
  readonly id: string;
  readonly intent: 'AUTHORIZE' | 'CAPTURE';
  readonly status: OrderStatus;
  readonly referenceId: string;
  readonly minor: number;
  readonly currency: string;
  readonly customId?: string | undefined;
  readonly invoiceId?: string | undefined;
  readonly description?: string | undefined;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly authorizationId?: string;
  readonly captureId?: string;
  /** The issue of the attempt that comes, as the buyer's bank will have it. */
  readonly refusal?: string | undefined;
}

export interface Authorization {
  readonly id: string;
  readonly orderId: string;
  readonly status: 'CREATED' | 'CAPTURED' | 'VOIDED' | 'PARTIALLY_CAPTURED';
  readonly minor: number;
  readonly capturedMinor: number;
  readonly currency: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface Capture {
  readonly id: string;
  readonly orderId: string;
  readonly authorizationId?: string | undefined;
  readonly status: 'COMPLETED' | 'PARTIALLY_REFUNDED' | 'REFUNDED';
  readonly minor: number;
  readonly refundedMinor: number;
  readonly feeMinor: number;
  readonly currency: string;
  readonly isFinal: boolean;
  readonly isDisputed: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface Refund {
  readonly id: string;
  readonly captureId: string;
  readonly minor: number;
  readonly currency: string;
  readonly note?: string | undefined;
  readonly customId?: string | undefined;
  readonly createdMs: number;
}

export interface Dispute {
  readonly id: string;
  readonly captureId: string;
  readonly minor: number;
  readonly currency: string;
  readonly status: 'OPEN' | 'RESOLVED';
  readonly outcome?: 'RESOLVED_BUYER_FAVOUR' | 'RESOLVED_SELLER_FAVOUR';
  readonly createdMs: number;
}

/** A movement of money. @see https://developer.paypal.com/docs/transaction-search/transaction-event-codes */
export interface Movement {
  readonly id: string;
  readonly code: 'T0006' | 'T1107' | 'T1110' | 'T1111' | 'T0400';
  readonly reference?: string | undefined;
  readonly minor: number;
  readonly feeMinor: number;
  readonly currency: string;
  readonly customId?: string | undefined;
  readonly invoiceId?: string | undefined;
  readonly atMs: number;
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly types: readonly string[];
}

export interface Collections {
  readonly orders: Order;
  readonly authorizations: Authorization;
  readonly captures: Capture;
  readonly refunds: Refund;
  readonly disputes: Dispute;
  readonly movements: Movement;
  readonly webhooks: Webhook;
}
