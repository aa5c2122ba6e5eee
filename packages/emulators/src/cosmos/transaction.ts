/**
 * One request's writes to one container: all of them reach the journal as one entry, or none of them happened.
 *
 * Invariant: a transaction begins and ends within one turn of the event loop, so nothing sees it half done, and
 * rolling back restores the touched items only.
 */
import { randomUUID } from 'node:crypto';
import type { Container, ItemChange, Undo } from './container.ts';
import { type ItemDocument, itemRid, type JsonObject, type StoredItem } from './model.ts';

const SYSTEM_PROPERTIES: readonly string[] = ['_rid', '_self', '_etag', '_ts', '_attachments', '_lsn'];

export class Transaction {
  readonly container: Container;
  readonly #changes: ItemChange[] = [];
  readonly #undo: Undo[] = [];

  constructor(container: Container) {
    this.container = container;
  }

  get changes(): readonly ItemChange[] {
    return this.#changes;
  }

  /**
   * Writes a document as the new version of an item, or as a new item.
   * @throws CosmosError 409 when it violates a unique key.
   */
  put(partition: string, body: JsonObject & { id: string }, previous: StoredItem | undefined): StoredItem {
    const { container } = this;
    const number = previous?.number ?? container.nextNumber;
    const doc = withSystemProperties(container, body, number);
    container.checkUniqueKeys(partition, doc);
    this.#apply({ op: 'put', doc, lsn: container.lsn + 1, number });
    const item = container.get(partition, doc.id);
    if (item === undefined) throw new Error(`item ${doc.id} is not where it was just put`);
    return item;
  }

  delete(item: StoredItem): void {
    const lsn = this.container.lsn + 1;
    this.#apply({ op: 'delete', partition: item.partition, id: item.doc.id, lsn });
  }

  /** A point to return to: how many changes there are so far. */
  savepoint(): number {
    return this.#changes.length;
  }

  rollback(savepoint = 0): void {
    while (this.#changes.length > savepoint) {
      this.#changes.pop();
      const undo = this.#undo.pop();
      if (undo !== undefined) this.container.revert(undo);
    }
  }

  #apply(change: ItemChange): void {
    this.#undo.push(this.container.apply(change));
    this.#changes.push(change);
  }
}

function withSystemProperties(
  container: Container,
  body: JsonObject & { id: string },
  number: number,
): ItemDocument {
  const own = Object.fromEntries(Object.entries(body).filter(([key]) => !SYSTEM_PROPERTIES.includes(key)));
  const rid = itemRid(container.rid, number);
  return {
    ...own,
    id: body.id,
    _rid: rid,
    _self: `${container.selfLink}docs/${rid}/`,
    _etag: `"${randomUUID()}"`,
    _attachments: 'attachments/',
    _ts: Math.floor(container.now() / 1_000),
  };
}
