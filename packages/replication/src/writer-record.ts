/**
 * Which site writes the records of an entity that one site writes at a time: a record per entity, which is kept everywhere
 * and crosses like any other.
 *
 * Invariant: of two such records the one with the higher epoch stands at every site, whatever the clocks show. A site takes a
 * write only when its own record names it, read for every attempt, after the record to be written and before the decision
 * about it. So what a site can still write after its record has changed is a put that was under way.
 */
import { NotWriterHereError, WriterMovingError } from './errors.ts';
import { get, type Protocol, type Site } from './protocol.ts';
import { entityOf, type StoredRecord } from './record.ts';
import { WRITER } from './reserved.ts';
import type { SiteId } from './stamp.ts';

export interface Writer {
  /** Who writes; while it is closed, who is to write next. */
  readonly site: SiteId;
  /** Grows with every change of it; 0: as it is declared. */
  readonly epoch: number;
  /** The site that wrote before, while nobody does: what it has written is on its way to the next one. */
  readonly closedBy?: SiteId;
}

/** The field of the record. */
export const WRITER_FIELD = 'writer';

export function writerKey(entity: string): string {
  return `${WRITER}:${entity}`;
}

/** Who writes by a record; as it is declared where there is none. */
export function writerIn(record: StoredRecord | undefined, declared: SiteId): Writer {
  const value = record?.state.fields[WRITER_FIELD]?.[1];
  const isWriter =
    typeof value === 'object' &&
    value !== null &&
    'site' in value &&
    typeof value['site'] === 'string' &&
    typeof value['epoch'] === 'number';
  return isWriter ? (value as unknown as Writer) : { site: declared, epoch: 0 };
}

/** Who writes the records of a key's entity, as far as this site knows; undefined: every site. */
export function* writerOf(site: Site, key: string): Protocol<Writer | undefined> {
  const declared = site.declaredWriter?.(key);
  if (declared === undefined) return undefined;
  return writerIn((yield* get(writerKey(entityOf(key))))?.record, declared);
}

/** @throws NotWriterHereError @throws WriterMovingError while nobody writes */
export function* requireWriter(site: Site, key: string): Protocol<void> {
  const writer = yield* writerOf(site, key);
  if (writer === undefined) return;
  const entity = entityOf(key);
  if (writer.closedBy !== undefined)
    throw new WriterMovingError(
      `records of ${entity} are about to be written at ${writer.site}, not at ${writer.closedBy}`,
    );
  if (writer.site !== site.site)
    throw new NotWriterHereError(`records of ${entity} are written at ${writer.site} only`, [writer.site]);
}
