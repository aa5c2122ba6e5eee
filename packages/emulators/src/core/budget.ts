/**
 * What a service grants a second: a bucket of units that fills steadily and holds one second's worth.
 *
 * Invariant: a request is let in while any unit is left, and is charged what it turned out to cost, so the bucket may
 * be overdrawn by one request; what comes then is refused until the debt is paid. Over any time no more is spent than
 * was granted in it, plus one second's worth and one request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyText, BodyTooLargeError, CONTROL_BODY_BYTES_MAX } from './request-body.ts';

/** Where a drill or a bench reads (`GET`) and sets (`PUT {"perSecond":5000}`, `null` for none) the budget of an emulator. */
export const BUDGET_PATH = '/_tandem/budget';

export interface BudgetOptions {
  /** Units a second; undefined: as many as are asked for. */
  readonly perSecond: number | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export class Budget {
  readonly #now: () => number;
  #perSecond: number | undefined;
  #left: number;
  #atMs: number;
  #spent = 0;
  #refused = 0;

  constructor({ perSecond, now }: BudgetOptions) {
    this.#now = now;
    this.#perSecond = perSecond;
    this.#left = perSecond ?? 0;
    this.#atMs = now();
  }

  get perSecond(): number | undefined {
    return this.#perSecond;
  }

  /** Begins with a full bucket. */
  set perSecond(value: number | undefined) {
    this.#perSecond = value;
    this.#left = value ?? 0;
    this.#atMs = this.#now();
  }

  /** Units that were charged, and requests that were refused, since the start. */
  get totals(): { readonly spent: number; readonly refused: number } {
    return { spent: this.#spent, refused: this.#refused };
  }

  /** Whether a request is let in. Its cost is charged when it is known (`charge`). */
  admit(): boolean {
    if (this.#perSecond === undefined) return true;
    this.#fill(this.#perSecond);
    if (this.#left > 0) return true;
    this.#refused += 1;
    return false;
  }

  charge(units: number): void {
    this.#spent += units;
    this.#left -= units;
  }

  /** Milliseconds until a request is let in again, at least 1. */
  get retryAfterMs(): number {
    return Math.max(1, Math.ceil((-this.#left * 1_000) / (this.#perSecond ?? 1)));
  }

  #fill(perSecond: number): void {
    const now = this.#now();
    this.#left = Math.min(perSecond, this.#left + (Math.max(0, now - this.#atMs) * perSecond) / 1_000);
    this.#atMs = now;
  }
}

/** Answers a request about the budget; false when the request is not one. */
export async function handleBudget(
  request: IncomingMessage,
  response: ServerResponse,
  budget: Budget,
): Promise<boolean> {
  if (request.url !== BUDGET_PATH) return false;
  if (request.method === 'PUT') {
    const text = await bodyText(request, CONTROL_BODY_BYTES_MAX).catch((error: unknown) => {
      if (error instanceof BodyTooLargeError) return undefined;
      throw error;
    });
    if (text === undefined) {
      response.writeHead(413).end();
      return true;
    }
    const { perSecond } = JSON.parse(text) as { perSecond?: unknown };
    const isRate = typeof perSecond === 'number' && perSecond > 0;
    if (perSecond !== null && !isRate) {
      response.writeHead(400).end('perSecond: a number above 0, or null');
      return true;
    }
    budget.perSecond = isRate ? perSecond : undefined;
  }
  const reply = { perSecond: budget.perSecond ?? null, ...budget.totals };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  return true;
}
