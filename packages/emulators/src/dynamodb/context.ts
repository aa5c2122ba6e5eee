/** What the actions of one emulator share. */
import type { Budget } from '../core/budget.ts';
import type { Store } from './dynalite.ts';
import type { Transactions } from './transactions.ts';
import type { WriteBudget } from './write-budget.ts';

export interface DynamoContext {
  readonly store: Store;
  readonly transactions: Transactions;
  readonly now: () => number;
  /** Read units a second; beyond them a batch is answered in part. */
  readonly readBudget: Budget;
  readonly writeBudget: WriteBudget;
}
