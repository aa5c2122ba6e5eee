/**
 * What a table and its indexes take of writes a second. Each is one partition here, as a small one is at the service: it takes
 * 1,000 write units, and a write that an index cannot take is refused by its table. Which indexes a write changes is known when
 * it is done, so any that is overdrawn refuses: the cautious reading.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
 */
import { Budget } from '../core/budget.ts';
import type { Units } from './capacity.ts';
import { DynamoError } from './errors.ts';

export class WriteBudget {
  readonly #perSecond: number | undefined;
  readonly #now: () => number;
  /** Table → itself, by an empty name, and its indexes. */
  readonly #tables = new Map<string, Map<string, Budget>>();

  constructor(options: { readonly perSecond: number | undefined; readonly now: () => number }) {
    this.#perSecond = options.perSecond;
    this.#now = options.now;
  }

  get isBounded(): boolean {
    return this.#perSecond !== undefined;
  }

  /** Whether a write to the table is let in; what it costs is charged when it is known. */
  admits(table: string): boolean {
    return !this.isBounded || [...this.#of(table).values()].every((budget) => budget.admit());
  }

  charge(table: string, units: Pick<Units, 'table' | 'global'>): void {
    if (!this.isBounded) return;
    for (const [index, used] of [['', units.table] as const, ...Object.entries(units.global)])
      this.#one(table, index).charge(used);
  }

  #of(table: string): Map<string, Budget> {
    this.#one(table, '');
    return this.#tables.get(table) ?? new Map<string, Budget>();
  }

  #one(table: string, index: string): Budget {
    const budgets = this.#tables.get(table) ?? new Map<string, Budget>();
    this.#tables.set(table, budgets);
    const known = budgets.get(index) ?? new Budget({ perSecond: this.#perSecond, now: this.#now });
    budgets.set(index, known);
    return known;
  }
}

/** The refusal of a read or a write that a table has no capacity left for. */
export function throttled(): DynamoError {
  return new DynamoError('ProvisionedThroughputExceededException', THROTTLED_TEXT);
}

export const THROTTLED_TEXT =
  'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.';
