/**
 * Writes what a provider has moved into the books, and holds the two beside each other.
 *
 * Invariants: what is written is what the provider lists, once, whoever does it and however often; nothing that was written
 * is written again, however it differs: that is a finding. A run looks at a bounded number of movements, and says where the
 * next one goes on.
 */
import { TooLargeError } from '@tandem-clouds/replication/errors';
import { ledgerEntriesMax, ledgerSpanMs } from '../../bounds.ts';
import { ConflictError } from '../../errors.ts';
import type { Balance, BalanceEntry, PaymentGateway } from '../../ports/payment-provider.ts';
import type { RecordPage, WritableRecords } from '../routes/route-records.ts';
import type { LedgerLine, Provider } from './ledger.ts';
import { fieldsOf, linesIn, type Movement, movementIdOf } from './movement.ts';
import { type Difference, reconcile } from './reconcile.ts';

/** No provider tells moments within a second apart. */
const SPAN_MIN_MS = 1_000;
const SPAN_DIVISOR = 4;
const PAGE = 100;
const AT_ONCE = 10;

/** Movements of one book. */
export type Movements = Pick<WritableRecords, 'find' | 'create' | 'list'>;

/** Where a run goes on: at a moment, with so much time at once. */
export interface Place {
  readonly atMs: number;
  readonly spanMs: number;
}

export interface Run {
  readonly gateway: Pick<PaymentGateway, 'name' | 'list'>;
  readonly movements: Movements;
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the run before. */
  readonly at?: Place | undefined;
}

export interface Kept {
  readonly fromMs: number;
  /** Everything from there to before here has been looked at. */
  readonly untilMs: number;
  /** Later than this the provider's own list may lack something. */
  readonly completeUntilMs: number;
  /** That the provider lists. */
  readonly movements: number;
  /** Of them, those that were not in the books. */
  readonly written: number;
  readonly differences: readonly Difference[];
  /** Absent when there is nothing more to look at now. */
  readonly next?: Place;
}

/** @throws TooLargeError when more has moved within a second than one run looks at. */
export async function keepBooks({ gateway, movements, fromMs, toMs, at }: Run): Promise<Kept> {
  const beginMs = at?.atMs ?? fromMs;
  const { spanMs, endMs, balance, here } = await readBoth({
    gateway,
    movements,
    beginMs,
    toMs,
    spanMs: at?.spanMs,
  });
  const { completeUntilMs } = balance;
  const untilMs = Math.max(beginMs, Math.min(endMs, completeUntilMs));
  const entries = balance.entries.filter(({ atMs }) => atMs >= beginMs && atMs < untilMs);
  const known = new Map(here.map((one) => [one.entryId, one]));
  const { found, written } = await writeMissing(movements, gateway.name, {
    entries: [
      ...new Map(entries.filter(({ id }) => !known.has(id)).map((entry) => [entry.id, entry])).values(),
    ],
  });
  const lines: LedgerLine[] = [...here, ...found].flatMap(linesIn);
  const provider = gateway.name;
  return {
    fromMs: beginMs,
    untilMs,
    completeUntilMs,
    movements: entries.length,
    written,
    differences: reconcile({ provider, lines, entries, fromMs: beginMs, untilMs }),
    ...(untilMs === endMs && endMs < toMs && { next: { atMs: endMs, spanMs } }),
  };
}

interface Both {
  readonly spanMs: number;
  readonly endMs: number;
  readonly balance: Balance;
  readonly here: readonly Movement[];
}

/** What the provider lists and what the books have, in as much time as a run can look at. */
async function readBoth({
  gateway,
  movements,
  beginMs,
  toMs,
  spanMs = ledgerSpanMs,
}: Omit<Run, 'fromMs' | 'at'> & {
  readonly beginMs: number;
  readonly spanMs?: number | undefined;
}): Promise<Both> {
  const endMs = Math.min(toMs, beginMs + spanMs);
  try {
    const balance = await gateway.list(beginMs, endMs, ledgerEntriesMax);
    const here = await readMovements(movements, gateway.name, { fromMs: beginMs, toMs: endMs });
    // Where little has moved, the next run takes more time at once.
    const next = balance.entries.length * SPAN_DIVISOR < ledgerEntriesMax ? spanMs * SPAN_DIVISOR : spanMs;
    return { spanMs: Math.min(ledgerSpanMs, next), endMs, balance, here };
  } catch (error) {
    if (!(error instanceof TooLargeError) || spanMs <= SPAN_MIN_MS) throw error;
    const less = Math.max(SPAN_MIN_MS, Math.floor(spanMs / SPAN_DIVISOR));
    return await readBoth({ gateway, movements, beginMs, toMs, spanMs: less });
  }
}

/** Those of a time, by the index; @throws TooLargeError when there are many more than a run looks at. */
async function readMovements(
  movements: Movements,
  provider: Provider,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<readonly Movement[]> {
  const found: Movement[] = [];
  for (let cursor: string | undefined; ;) {
    const page: RecordPage = await movements.list({
      where: timeOf(provider, fromMs, toMs),
      limit: PAGE,
      cursor,
    });
    found.push(...page.items.map((one) => one as unknown as Movement));
    ({ cursor } = page);
    if (cursor === undefined) return found;
    if (found.length > SPAN_DIVISOR * ledgerEntriesMax)
      throw new TooLargeError('more movements than one reconciliation looks at');
  }
}

/** The query of the movements of a provider in a time. */
export function timeOf(provider: Provider, fromMs: number, toMs: number): Readonly<Record<string, string>> {
  return { provider, 'atMs[gte]': String(fromMs), 'atMs[lt]': String(toMs) };
}

/** Whatever the index lacked is read by its id, and what is not there is written. */
async function writeMissing(
  movements: Movements,
  provider: Provider,
  { entries }: { readonly entries: readonly BalanceEntry[] },
): Promise<{ found: readonly Movement[]; written: number }> {
  const found: Movement[] = [];
  let written = 0;
  const keep = async (entry: BalanceEntry): Promise<void> => {
    const id = movementIdOf(provider, entry.id);
    let record = await movements.find(id);
    if (record === undefined) {
      try {
        record = await movements.create(fieldsOf(provider, entry), { step: id });
        written += 1;
      } catch (error) {
        // Another run has been quicker.
        if (!(error instanceof ConflictError)) throw error;
        record = await movements.find(id);
      }
    }
    if (record !== undefined) found.push(record as unknown as Movement);
  };
  for (let at = 0; at < entries.length; at += AT_ONCE)
    await Promise.all(entries.slice(at, at + AT_ONCE).map(keep));
  return { found, written };
}
