/**
 * Customers: they order at either site, send the same order twice, pay, cancel and ask for their money back at the other one, and
 * note what they were told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { keyAt } from '@tandem-clouds/local/creation-headers';
import type { Endpoint } from '../../cluster/request.ts';
import type { Random } from '../../random.ts';
import type { Sandbox } from './sandbox.ts';

const RESPONSE_WITHIN_MS = 15_000;
const ORDER_WITHIN_MS = 60_000;
const SETTLED_WITHIN_MS = 45_000;
const RETRY_AFTER_MS = 300;
const WAIT_S = 8;

/** Of all orders. */
const SHARE = {
  declined: 0.08,
  challenged: 0.06,
  payLater: 0.12,
  /** Sent to both sites at once, as by a client whose answer is late. */
  twice: 0.08,
  cancelled: 0.06,
  wrongPrice: 0.02,
  /** Of those that are paid. */
  refunded: 0.15,
  /** Whose end the customer waits for. */
  watched: 0.35,
} as const;

const GOOD = 'pm_card_visa';
const BAD = 'pm_card_visa_chargeDeclined';
const CHALLENGED = 'pm_card_threeDSecure2Required';
const PASSING = new Set(['reserving', 'paying', 'cancelling']);

export interface Article {
  readonly sku: string;
  readonly priceMinor: number;
}

/** What a customer was told of an order. */
export interface Told {
  readonly atMs: number;
  readonly site: string;
  readonly status: string;
  readonly reason: string | undefined;
}

export interface Placed {
  readonly key: string;
  readonly sentAtMs: number;
  readonly lines: readonly (Article & { readonly units: number })[];
  /** Known once anybody has answered. */
  id: string | undefined;
  readonly told: Told[];
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class Shoppers {
  readonly placed: Placed[] = [];
  /** Refused with a problem that the contract names, by its code. */
  readonly refused = new Map<string, number>();
  readonly #random: Random;
  readonly #sites: readonly Endpoint[];
  readonly #articles: readonly Article[];
  readonly #sandbox: Sandbox;

  constructor(
    random: Random,
    {
      sites,
      articles,
      sandbox,
    }: { sites: readonly Endpoint[]; articles: readonly Article[]; sandbox: Sandbox },
  ) {
    this.#random = random;
    this.#sites = sites;
    this.#articles = articles;
    this.#sandbox = sandbox;
  }

  get acknowledged(): number {
    return this.placed.filter(({ id }) => id !== undefined).length;
  }

  /** One order, as far as its customer follows it. */
  async shop(number: number): Promise<void> {
    const random = this.#random;
    const kind = random.next();
    const later = SHARE.declined + SHARE.challenged;
    const method =
      kind < SHARE.declined
        ? BAD
        : kind < later
          ? CHALLENGED
          : kind < later + SHARE.payLater
            ? undefined
            : GOOD;
    const placed: Placed = {
      key: keyAt(Date.now(), number),
      sentAtMs: Date.now(),
      lines: this.#cart(),
      id: undefined,
      told: [],
    };
    this.placed.push(placed);
    const body = { currency: 'EUR', lines: placed.lines, ...(method !== undefined && { method }) };
    const site = random.pick(this.#sites);
    const other = random.chance(SHARE.twice) ? this.#place(this.#other(site), placed, body) : undefined;
    await Promise.all([this.#place(site, placed, body), other]);
    if (placed.id === undefined) return;
    if (random.chance(SHARE.cancelled)) {
      await sleep(random.between(0, 3_000));
      await this.#act(placed, 'cancel', {});
      return;
    }
    const isWatched = method !== GOOD || random.chance(SHARE.watched);
    const end = isWatched ? await this.#settled(placed) : undefined;
    if (end?.['status'] === 'reserved') {
      const isPaid = random.chance(0.6);
      await this.#act(placed, isPaid ? 'pay' : 'cancel', isPaid ? { method: GOOD } : {});
    }
    const action = end?.['status'] === 'paying' ? end['action'] : undefined;
    if (action !== undefined && random.chance(0.7))
      await this.#sandbox.answer(String(end?.['paymentId'])).catch(() => undefined);
    if (end?.['status'] === 'paid' && random.chance(SHARE.refunded)) {
      const [line] = placed.lines;
      const amountMinor = random.chance(0.5) ? { amountMinor: line?.priceMinor ?? 1 } : {};
      // Asked for twice, as by somebody who clicks twice: together they may be more than was paid.
      await this.#act(placed, 'refund', amountMinor);
      if (random.chance(0.3)) await this.#act(placed, 'refund', amountMinor);
    }
  }

  /** Ends what nobody has ended, so that the shop can come to rest. */
  async cancelOpen(id: string): Promise<void> {
    await this.#act({ id, told: [] }, 'cancel', {});
  }

  #cart(): Placed['lines'] {
    const random = this.#random;
    const lines = random.chance(0.25) ? 1 + random.int(3) : 1;
    const chosen = random.shuffled(this.#articles).slice(0, lines);
    const off = random.chance(SHARE.wrongPrice) ? 1 : 0;
    return chosen.map(({ sku, priceMinor }) => ({
      sku,
      priceMinor: priceMinor + off,
      units: random.chance(0.8) ? 1 : 2,
    }));
  }

  /** Sends it until somebody answers, at whichever site. */
  async #place(first: Endpoint, placed: Placed, body: object): Promise<void> {
    let site = first;
    for (const untilMs = performance.now() + ORDER_WITHIN_MS; performance.now() < untilMs;) {
      const answer = await ask(site, 'POST', '/orders', { body, key: placed.key }).catch(() => undefined);
      if (answer !== undefined && answer.status < 300) {
        placed.id = String(answer.body['orderId']);
        this.#note(placed, site, answer);
        return;
      }
      if (answer !== undefined && answer.status < 500 && answer.status !== 429) {
        this.#refuse(answer);
        return;
      }
      await sleep(RETRY_AFTER_MS);
      site = this.#other(site);
    }
  }

  /** Waits until somebody else has to do something; undefined when it took too long. */
  async #settled(placed: Placed): Promise<Answer['body'] | undefined> {
    for (const untilMs = performance.now() + SETTLED_WITHIN_MS; performance.now() < untilMs;) {
      const site = this.#random.pick(this.#sites);
      const answer = await ask(site, 'GET', `/orders/${placed.id ?? ''}`, { waitS: WAIT_S }).catch(
        () => undefined,
      );
      if (answer?.status === 200) {
        this.#note(placed, site, answer);
        const { status, action } = answer.body;
        if (!PASSING.has(String(status)) || (status === 'paying' && action !== undefined)) return answer.body;
      }
      await sleep(RETRY_AFTER_MS);
    }
    return undefined;
  }

  async #act(placed: Pick<Placed, 'id' | 'told'>, action: string, body: object): Promise<void> {
    const key = keyAt(Date.now(), this.#random.int(2 ** 31));
    let site = this.#random.pick(this.#sites);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const answer = await ask(site, 'POST', `/orders/${placed.id ?? ''}/${action}`, { body, key }).catch(
        () => undefined,
      );
      if (answer?.status === 200) {
        this.#note(placed, site, answer);
        return;
      }
      // It may not have arrived there yet.
      if (answer !== undefined && answer.status < 500 && answer.status !== 404) {
        this.#refuse(answer);
        return;
      }
      await sleep(RETRY_AFTER_MS * (attempt + 1));
      site = this.#other(site);
    }
  }

  #note(placed: Pick<Placed, 'told'>, { name }: Endpoint, { body }: Answer): void {
    const { status, reason } = body as { status?: string; reason?: string };
    placed.told.push({ atMs: Date.now(), site: name, status: status ?? '', reason });
  }

  #refuse({ body }: Answer): void {
    const { code = 'no code' } = body as { readonly code?: string };
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  #other(site: Endpoint): Endpoint {
    return this.#sites.find(({ name }) => name !== site.name) ?? site;
  }
}

/** @throws What the network says, or that the answer is no JSON */
export async function ask(
  site: Endpoint,
  method: 'GET' | 'POST',
  path: string,
  {
    body,
    key,
    waitS,
    isForAll = false,
  }: {
    readonly body?: object;
    readonly key?: string;
    readonly waitS?: number;
    /** Not for the one customer: as the shop sees it. */
    readonly isForAll?: boolean;
  } = {},
): Promise<Answer> {
  const response = await fetch(new URL(path, site.url), {
    method,
    headers: {
      ...(!isForAll && { 'x-tandem-owner': 'chaos' }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(waitS !== undefined && { prefer: `wait=${waitS}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(RESPONSE_WITHIN_MS),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
}
