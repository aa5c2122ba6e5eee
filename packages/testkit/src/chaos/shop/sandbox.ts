/** The sandbox of the payment provider: how it fails, and what it says of itself, which is all that the checkers believe. */
import type { FaultRule } from '@tandem-clouds/emulators/core/faults';
import { LOCAL_SECRETS } from '@tandem-clouds/local/processes/payments-settings';
import { stripeSecrets } from '../../../../../src/shared/payment-secrets.ts';

const WITHIN_MS = 10_000;
const PAGE = 100;

/** A PaymentIntent as Stripe shows it, as far as it is looked at. */
export interface Intent {
  readonly id: string;
  /** Of the smallest unit. */
  readonly amount: number;
  readonly amount_received: number;
  readonly status: string;
  readonly metadata: { readonly order?: string; readonly claim?: string };
}

interface Listed {
  readonly id: string;
}

export interface BackPaid extends Listed {
  readonly amount: number;
  readonly status: string;
  readonly payment_intent: string;
}

export interface Movement extends Listed {
  readonly amount: number;
  readonly type: string;
}

export class Sandbox {
  readonly #url: string;
  readonly #hook: string;
  readonly #imposed = new Set<readonly FaultRule[]>();

  /** @param hook Where its faults are ordered. */
  constructor(url: string, hook: string) {
    this.#url = url;
    this.#hook = hook;
  }

  /** Turns rules on; the result turns them off again. */
  async impose(rules: readonly FaultRule[]): Promise<() => void> {
    this.#imposed.add(rules);
    await this.#give();
    return () => {
      this.#imposed.delete(rules);
      void this.#give().catch(() => undefined);
    };
  }

  async heal(): Promise<void> {
    this.#imposed.clear();
    await this.#give();
  }

  /** The customer answers what their bank asks. */
  async answer(id: string): Promise<void> {
    await fetch(new URL(`/_tandem/3ds/${id}`, this.#url), {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(WITHIN_MS),
    });
  }

  intents(): Promise<readonly Intent[]> {
    return this.#all<Intent>('payment_intents');
  }

  refunds(): Promise<readonly BackPaid[]> {
    return this.#all<BackPaid>('refunds');
  }

  movements(): Promise<readonly Movement[]> {
    return this.#all<Movement>('balance_transactions');
  }

  async #all<Item extends Listed>(collection: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (;;) {
      const last = items.at(-1)?.id;
      const query = `limit=${PAGE}${last === undefined ? '' : `&starting_after=${last}`}`;
      const response = await fetch(new URL(`/v1/${collection}?${query}`, this.#url), {
        headers: { authorization: `Bearer ${LOCAL_SECRETS[stripeSecrets.key]}` },
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      if (!response.ok) throw new Error(`the sandbox answers ${response.status} about ${collection}`);
      const page = (await response.json()) as { data: readonly Item[]; has_more: boolean };
      items.push(...page.data);
      if (!page.has_more) return items;
    }
  }

  async #give(): Promise<void> {
    const rules = [...this.#imposed].flat();
    await fetch(this.#hook, {
      method: 'PUT',
      body: JSON.stringify(rules),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
  }
}
