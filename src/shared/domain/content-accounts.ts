/** What becomes of an owner's, or a tenant's, usage when the content of a record changes (`quotas.ts`), at this site. */
import { isPermanent } from '@tandem-clouds/replication/errors';
import type { Content } from '@tandem-clouds/replication/objects/content';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { sha256 } from '../digest.ts';
import type { Entity } from './entity.ts';
import {
  type Account,
  type AccountsOf,
  accountsOf,
  checkQuota,
  giveBack,
  ownerIn,
  usageChange,
  used,
} from './quotas.ts';
import type { Replica } from './replica.ts';

type Bytes = Pick<Content, 'bytes'> | undefined;

export class ContentAccounts {
  readonly #entity: Entity;
  readonly #replica: Pick<Replica, 'run'>;
  readonly #accountsOf: AccountsOf;

  constructor(entity: Entity, replica: Pick<Replica, 'run'>) {
    this.#entity = entity;
    this.#replica = replica;
    this.#accountsOf = accountsOf([entity], sha256);
  }

  /** Before anything is sent: whether there is room as usage is now. @throws QuotaExceededError */
  async check(record: StoredRecord, before: Bytes, after: Bytes): Promise<void> {
    await this.#replica.run(() => checkQuota(this.#of(record), usageChange(before, after)));
  }

  /**
   * Counts, then writes; takes it back when the write is refused for good.
   * @param operationId Names what is counted: once, however often it is tried. @throws QuotaExceededError
   */
  async around<Result>(
    record: StoredRecord,
    {
      before,
      after,
      operationId,
    }: { readonly before: Bytes; readonly after: Bytes; readonly operationId: string },
    write: () => Promise<Result>,
  ): Promise<Result> {
    await this.count(record, before, after, operationId);
    try {
      return await write();
    } catch (error) {
      // Of a write whose outcome is unknown nothing is taken back: the inventory knows better.
      const counted = { change: usageChange(before, after), operationId };
      if (isPermanent(error)) await this.#replica.run((site) => giveBack(site, this.#of(record), counted));
      throw error;
    }
  }

  /** @throws QuotaExceededError */
  async count(record: StoredRecord, before: Bytes, after: Bytes, operationId: string): Promise<void> {
    const counted = { change: usageChange(before, after), operationId };
    await this.#replica.run((site) => used(site, this.#of(record), counted));
  }

  #of(record: StoredRecord): readonly Account[] {
    return this.#accountsOf({ key: record.key, owner: ownerIn(this.#entity, record.state) });
  }
}
