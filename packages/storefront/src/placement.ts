/**
 * Placing an order.
 *
 * Invariant: one press of the button is one order, whatever dies. Key and body are kept before the first byte is sent, and every
 * attempt, at whichever site and after whichever reload, carries them; they are forgotten when a site has the order, or has
 * certainly refused it.
 */
import type { TandemClient } from '@tandem-clouds/client';
import { ProblemError } from '@tandem-clouds/client/errors';
import { timedKey } from '@tandem-clouds/client/keys';
import type { Cart } from './cart.ts';
import type { Language } from './language.ts';
import { pause } from './pause.ts';

/** Between two calls, each of which has tried all sites for half a minute. */
const PAUSE_MS = 1_000;

export interface Placement {
  /** A UUID of version 7: the order's id derives from it. */
  readonly key: string;
  readonly body: OrderBody;
}

export interface OrderBody {
  readonly currency: string;
  readonly lines: { sku: string; units: number; priceMinor: number }[];
  readonly method?: string;
  /** Where the sites write to about it. */
  readonly email?: string;
  readonly language?: Language;
}

export interface Wishes {
  readonly cart: Cart;
  /** How it is paid; undefined: the customer says so once the goods are held. */
  readonly method: string | undefined;
  /** Of the customer; undefined: nobody is written to. */
  readonly email: string | undefined;
  readonly language: Language;
  /** Epoch milliseconds of the sites' clocks. */
  readonly nowMs: number;
}

/** What is sent. */
export function newPlacement({ cart, method, email, language, nowMs }: Wishes): Placement {
  return {
    key: timedKey(nowMs),
    body: {
      currency: cart[0]?.currency ?? '',
      lines: cart.map(({ sku, units, priceMinor }) => ({ sku, units, priceMinor })),
      ...(method !== undefined && { method }),
      ...(email !== undefined && { email, language }),
    },
  };
}

/** What was kept of an earlier page; undefined when there is none. */
export function readPlacement(kept: unknown): Placement | undefined {
  const { key, body } = (kept ?? {}) as Partial<Placement>;
  return typeof key === 'string' && typeof body === 'object' ? { key, body } : undefined;
}

export interface PlaceOptions {
  readonly tandem: TandemClient;
  readonly placement: Placement;
  /** The key would be too old or too new for the sites' clocks, and nothing was ordered: keep this one instead. */
  readonly onNewKey: (placement: Placement) => void;
  /** No site has answered yet; it goes on. */
  readonly onWaiting: () => void;
}

/** Sends it until a site has it. @returns The order's id. @throws ProblemError when a site has refused it */
export async function place({ tandem, placement, onNewKey, onWaiting }: PlaceOptions): Promise<string> {
  let current = placement;
  let isRenewed = false;
  for (;;) {
    try {
      const { data } = await tandem
        .collection('orders')
        .create(current.body, { idempotencyKey: current.key });
      return data.orderId;
    } catch (error) {
      if (error instanceof ProblemError) {
        const { dateMs, errors } = error;
        if (isRenewed || dateMs === undefined || !errors.some(({ rule }) => rule === 'future')) throw error;
        isRenewed = true;
        current = { ...current, key: timedKey(dateMs) };
        onNewKey(current);
        continue;
      }
      onWaiting();
      await pause(PAUSE_MS);
    }
  }
}
