/** The first phase of an inventory (`inventory.ts`): all records of the site, page by page. */
import {
  inventoryAtOnce,
  inventoryConflictsMax,
  inventoryPage,
  inventoryReadBytes,
  uploadKeptMs,
} from '../bounds.ts';
import { ElsewhereError, WriterMovingError } from '../errors.ts';
import { scanPage } from '../isolate.ts';
import { localWrite } from '../local-write.ts';
import { change } from '../policies/set.ts';
import { get, type Site } from '../protocol.ts';
import { heirOf } from '../reactions/entries.ts';
import { entityOf, isLive, newestStamp, type StoredRecord } from '../record.ts';
import { CONFLICT, USAGE } from '../reserved.ts';
import { stampMs } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';
import { claim, type Content, type Held, HELD_BY, storageName, storagePrefix } from './content.ts';
import { head, type ListedObject, type ObjectProtocol, together } from './effects.ts';
import { recheck } from './hold.ts';
import { areAllHeard, tailOf } from './inventory-names.ts';
import { Findings, type InventoryParts, type InventoryStep, NO_COUNTS } from './inventory-step.ts';
import { correctUsage, isSettledAt, Summing } from './usage.ts';

/** Goes on with the records; returns the same inventory as it then is. */
export function* readRecords(
  site: Site,
  step: InventoryStep,
  parts: InventoryParts,
): ObjectProtocol<InventoryStep> {
  const reading = new RecordReading(site, step, parts);
  return yield* reading.run();
}

/** Of no bytes. */
const EMPTY = 'AAAAAAAAAAA=';

/** The upload whose bytes are being read. */
type Reading = NonNullable<InventoryStep['reading']>;

class RecordReading {
  readonly #site: Site;
  readonly #step: InventoryStep;
  readonly #parts: InventoryParts;
  #findings: Findings;
  #summing: Summing;
  #conflicts: Set<string> | undefined;
  #reading: Reading | undefined;

  constructor(site: Site, step: InventoryStep, parts: InventoryParts) {
    this.#site = site;
    this.#step = step;
    this.#parts = parts;
    this.#findings = new Findings(step);
    this.#summing = new Summing(step.sums);
    this.#conflicts = step.conflicts && new Set(step.conflicts);
    this.#reading = step.reading;
  }

  *run(): ObjectProtocol<InventoryStep> {
    let { cursor } = this.#step;
    do {
      const page = yield* scanPage(cursor, inventoryPage);
      if (page.again === true) this.#begin();
      yield* noteUnusable(this.#site, 'list', page.unreadable ?? new Map());
      // The same page again, from the object on whose bytes are not all read yet.
      if (!(yield* this.#take(page.records))) return this.#state(cursor);
      cursor = page.next;
    } while (cursor !== undefined && this.#parts.goesOn());
    if (cursor !== undefined) return this.#state(cursor);
    const { id, atMs } = this.#step;
    const corrected = yield* correctUsage(this.#site, { id, atMs, of: this.#summing.sums.of });
    this.#findings.count({ corrected });
    return { ...this.#state(undefined), phase: 'names' };
  }

  /** The first record comes again. */
  #begin(): void {
    this.#findings = new Findings({ counts: NO_COUNTS, examples: [] });
    this.#summing = new Summing({ from: this.#step.sums.from, of: {} });
    this.#conflicts = new Set();
    this.#reading = undefined;
  }

  #state(cursor: string | undefined): InventoryStep {
    const { cursor: _, reading: __, conflicts: ___, ...rest } = this.#step;
    return {
      ...rest,
      ...this.#findings.found,
      sums: this.#summing.sums,
      ...(this.#conflicts && { conflicts: [...this.#conflicts] }),
      ...(this.#reading && { reading: this.#reading }),
      ...(cursor !== undefined && { cursor }),
    };
  }

  /** False when the bytes of one of them are not all read yet. */
  *#take(records: readonly StoredRecord[]): ObjectProtocol<boolean> {
    const begun = records.findIndex(({ key }) => key === this.#reading?.key);
    if (begun < 0) {
      this.#reading = undefined;
      for (const record of records) this.#note(record);
    }
    const left = records.slice(Math.max(0, begun)).filter(({ key }) => this.#parts.contents.may(key));
    const atOnce = this.#step.read ? 1 : inventoryAtOnce;
    for (let first = 0; first < left.length; first += atOnce) {
      const ended = yield* together(left.slice(first, first + atOnce).map((record) => this.#look(record)));
      if (ended.includes(false)) return false;
    }
    return true;
  }

  /** What is kept in mind of a record. */
  #note(record: StoredRecord): void {
    const { key, state } = record;
    const nowMs = this.#site.now();
    const entity = entityOf(key);
    if (entity === CONFLICT && isLive(state, nowMs)) this.#noteConflict(record);
    const isSettled = isSettledAt(state, this.#step.atMs);
    const sum = (account: string, content: Content | undefined): void => {
      if (heirOf(this.#site, account) === this.#site.site) this.#summing.add(account, { content, isSettled });
    };
    if (entity === USAGE) sum(key, undefined);
    if (!this.#parts.contents.may(key)) return;
    const content = this.#parts.contents.of(key, state, nowMs)?.content;
    for (const account of this.#parts.accountsOf(record)) sum(account, content);
  }

  #noteConflict({ state }: StoredRecord): void {
    const about = state.fields['record']?.[1];
    if (typeof about !== 'string' || !this.#parts.contents.may(about)) return;
    for (const side of ['loser', 'winner']) {
      const logged = state.fields[side]?.[1] as {
        readonly value?: { readonly upload?: unknown } | null;
      } | null;
      const upload = logged?.value?.upload;
      if (typeof upload === 'string') this.#conflicts?.add(tailOf(upload));
    }
    if ((this.#conflicts?.size ?? 0) > inventoryConflictsMax) this.#conflicts = undefined;
  }

  /** False when the bytes are not all read yet. */
  *#look(record: StoredRecord): ObjectProtocol<boolean> {
    const { key, state } = record;
    if (yield* this.#removeOrphan(record)) return true;
    const held = this.#parts.contents.of(key, state, this.#site.now());
    if (held === undefined) {
      yield* this.#abandon(record);
      return true;
    }
    if (!held.heldBy.includes(this.#site.site)) return true;
    const { content } = held;
    const isBegun = this.#reading?.key === key;
    const said = isBegun ? 'held' : yield* recheck(this.#site, key, this.#parts.contents);
    if (said === 'unclaimed') return true;
    const isRight =
      said === 'held' && this.#step.read ? yield* this.#readBytes(key, content) : said === 'held';
    if (isRight === undefined) return false;
    this.#findings.count({ checked: 1, bytes: content.bytes });
    if (isRight) return true;
    if (said === 'held') yield* this.#discard(key, held);
    const lost = held.heldBy.length === 1 ? 1 : 0;
    this.#findings.count(said === 'missing' ? { missing: 1, lost } : { corrupt: 1, lost }, key);
    return true;
  }

  /** Bytes that are rotten although the storage does not say so: they go where another has them, and are fetched anew. */
  *#discard(key: string, { content: { upload }, heldBy }: Held): ObjectProtocol<void> {
    if (heldBy.length === 1) return;
    yield* localWrite(this.#site, {
      key,
      operationId: `rotten-${this.#step.id}`,
      isNote: true,
      decide: (current) => current && { [HELD_BY]: change({ remove: [claim(upload, this.#site.site)] }) },
    });
    const name = storageName(key, upload);
    const { versionId } = (yield* head(this.#site.site, name)) ?? {};
    // Of what is fetched anew by then, a call that lands late removes nothing.
    yield { op: 'objectDelete', name, ...(versionId !== undefined && { versionId }) };
  }

  /** Whether this site is the one that deletes it. */
  #isOurs(key: string): boolean {
    return this.#site.declaredWriter?.(key) !== undefined || heirOf(this.#site, key) === this.#site.site;
  }

  /** Deletes what goes with a record that is gone; at one site. Its bytes are removed a day later, as those of all that is deleted. */
  *#removeOrphan(record: StoredRecord): ObjectProtocol<boolean> {
    const { key, state } = record;
    const parent = this.#parts.parentOf?.(record);
    if (parent === undefined || !isLive(state, this.#site.now()) || !this.#isOurs(key)) return false;
    if (!(yield* this.#isGone(parent, record)) || !(yield* areAllHeard(this.#site))) return false;
    let abandoned = 0;
    try {
      yield* localWrite(this.#site, {
        key,
        operationId: `orphan-${this.#step.id}`,
        decide: (current, live) => {
          abandoned = live && current !== undefined && this.#parts.parentOf?.(current) === parent ? 1 : 0;
          return current && abandoned === 1 ? this.#parts.deletion(current) : undefined;
        },
      });
    } catch (error) {
      // Another site writes these records, and comes to it.
      if (!(error instanceof ElsewhereError || error instanceof WriterMovingError)) throw error;
    }
    this.#findings.count({ abandoned });
    return abandoned === 1;
  }

  /** What was never here may be on its way: for as long as an upload may be completed. */
  *#isGone(parent: string, { state }: StoredRecord): ObjectProtocol<boolean> {
    const nowMs = this.#site.now();
    const held = (yield* get(parent))?.record;
    if (held !== undefined) return !isLive(held.state, nowMs);
    return nowMs - stampMs(newestStamp(state) ?? '') > uploadKeptMs;
  }

  /** Deletes what never got content, for long enough; at one site. */
  *#abandon({ key, state }: StoredRecord): ObjectProtocol<void> {
    if (this.#parts.contents.isNothingWithout?.(key) !== true) return;
    const isOld = (record: StoredRecord): boolean =>
      this.#site.now() - stampMs(newestStamp(record.state) ?? '') > uploadKeptMs;
    if (!isLive(state, this.#site.now()) || !this.#isOurs(key)) return;
    if (!isOld({ key, state, pending: {}, operations: [] })) return;
    const { objects } = (yield { op: 'objectList', prefix: storagePrefix(key), limit: inventoryPage }) as {
      readonly objects: readonly ListedObject[];
    };
    // What was sent lately may yet be completed.
    if (objects.some(({ modifiedMs }) => this.#site.now() - modifiedMs <= uploadKeptMs)) return;
    if (!(yield* areAllHeard(this.#site))) return;
    try {
      let abandoned = 0;
      yield* localWrite(this.#site, {
        key,
        operationId: `abandoned-${this.#step.id}`,
        decide: (current, live) => {
          const isEmpty =
            current && this.#parts.contents.of(key, current.state, this.#site.now()) === undefined;
          abandoned = live && isEmpty === true && isOld(current) ? 1 : 0;
          return current && abandoned === 1 ? this.#parts.deletion(current) : undefined;
        },
      });
      this.#findings.count({ abandoned });
    } catch (error) {
      // Another site writes these records, and comes to it.
      if (!(error instanceof ElsewhereError || error instanceof WriterMovingError)) throw error;
    }
  }

  /** Whether all bytes are those that were announced; undefined: there was no time for all of them. */
  *#readBytes(key: string, { upload, bytes, crc64 }: Content): ObjectProtocol<boolean | undefined> {
    const begun = this.#reading?.key === key && this.#reading.upload === upload ? this.#reading : undefined;
    let { at, sum }: Pick<Reading, 'at' | 'sum'> = begun ?? { at: 0, sum: EMPTY };
    do {
      const size = Math.min(inventoryReadBytes, bytes - at);
      if (size > 0)
        sum = (yield {
          op: 'objectSum',
          name: storageName(key, upload),
          fromByte: at,
          bytes: size,
          before: sum,
        }) as string;
      at += size;
      this.#reading = at < bytes ? { key, upload, at, sum } : undefined;
    } while (at < bytes && this.#parts.goesOn());
    return at < bytes ? undefined : sum === crc64;
  }
}
