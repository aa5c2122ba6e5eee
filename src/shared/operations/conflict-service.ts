/** What operators do with the conflict log. An override is a newer write of the field like any other. */
import type { ValidateFunction } from 'ajv';
import { EARLIER_LIFE, type LoggedWrite } from '@tandem-clouds/replication/conflict-log';
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import { increment } from '@tandem-clouds/replication/policies/counter';
import type { FieldOperation } from '@tandem-clouds/replication/policies/field';
import { isObject } from '@tandem-clouds/replication/policies/members';
import { change as addToSet } from '@tandem-clouds/replication/policies/set';
import { entityOf, idOf, plainValues, stateName, type StoredRecord } from '@tandem-clouds/replication/record';
import { CONFLICT } from '@tandem-clouds/replication/reserved';
import { stampMs } from '@tandem-clouds/replication/stamp';
import type { Entity, States } from '../domain/entity.ts';
import type { Replica } from '../domain/replica.ts';
import { overruling } from '../domain/states.ts';
import { InvalidError, NotFoundError, UnreadableError } from '../errors.ts';
import { validate } from '../validation/validate.ts';

/** An entry as operators see it. */
export interface ConflictView {
  readonly id: string;
  /** Key of the record. */
  readonly record: string;
  readonly field: string;
  readonly loser: LoggedWrite & { readonly at: string };
  readonly winner: LoggedWrite & { readonly at: string };
  readonly reason: string;
  /** What an operator decided, once somebody did. */
  readonly override?: Json;
}

export interface ConflictPage {
  readonly items: readonly ConflictView[];
  /** Ids of entries that are there and cannot be read at this site; absent when the page has none. */
  readonly unreadable?: readonly string[];
  readonly cursor?: string;
}

/** Entity → the compiled schema of what may be set at it, whoever writes it. */
export type ChangeChecks = Readonly<Record<string, ValidateFunction>>;

export class ConflictService {
  readonly #replica: Replica;
  readonly #checks: ChangeChecks;
  readonly #entities: readonly Entity[];

  constructor(replica: Replica, { checks, entities }: { checks: ChangeChecks; entities: readonly Entity[] }) {
    this.#replica = replica;
    this.#checks = checks;
    this.#entities = entities;
  }

  /** Newest first. */
  async list({ limit, after }: { limit: number; after: string | undefined }): Promise<ConflictPage> {
    const page = await this.#replica.list(CONFLICT, {
      limit,
      after: after === undefined ? undefined : `${CONFLICT}:${after}`,
    });
    const items: ConflictView[] = [];
    const failed = new Map<string, Error>();
    for (const record of page.records) {
      try {
        items.push(viewOf(record));
      } catch (error) {
        if (!(error instanceof UnreadableError)) throw error;
        failed.set(record.key, error);
      }
    }
    await this.#replica.note('list', failed);
    const unreadable = [...page.unreadable, ...failed.keys()].sort().map(idOf);
    return {
      items,
      ...(unreadable.length > 0 && { unreadable }),
      ...(page.next !== undefined && { cursor: idOf(page.next) }),
    };
  }

  /** @throws NotFoundError */
  async show(id: string): Promise<ConflictView> {
    return viewOf(await this.#entry(id));
  }

  /**
   * Writes the loser's value, or another one, to the field, whoever else writes it, and notes it in the entry.
   * @throws NotFoundError when there is no such entry, or its record does not exist any more.
   * @throws InvalidError when the record's entity is not known here, or does not take the value.
   * @throws OutOfBoundsError when the field walks through states and is in a later one.
   */
  async override(
    id: string,
    { value, note }: { value: Json | undefined; note: string | undefined },
  ): Promise<ConflictView> {
    const entry = viewOf(await this.#entry(id));
    const wanted = value === undefined ? (entry.loser.value ?? null) : value;
    const change = value === undefined ? restored(entry) : value;
    this.#check(entry, value);
    const written = await this.#replica.write({
      key: entry.record,
      decide: (current, isLive) => {
        // A tombstone itself may be overridden: that is what brings the record back.
        const exists = isLive || (current !== undefined && entry.field.startsWith('$'));
        if (!exists) throw new NotFoundError(`${entry.record} does not exist any more`);
        const states = this.#statesOf(entry);
        if (states === undefined) return { [entry.field]: change };
        const from = current && plainValues(current.state)[entry.field];
        const operation = overruling(entry.field, states, { from, to: wanted });
        return operation && { [entry.field]: operation };
      },
    });
    const override = {
      at: new Date(this.#replica.now()).toISOString(),
      value: wanted,
      state: stateName(written.state),
      ...(note !== undefined && { note }),
    };
    const noted = await this.#replica.write({ key: `${CONFLICT}:${id}`, decide: () => ({ override }) });
    return viewOf(noted);
  }

  #statesOf({ record, field }: ConflictView): States | undefined {
    const entity = this.#entities.find(({ name }) => name === entityOf(record));
    return entity && own(entity.states, field);
  }

  /** @throws InvalidError when the entity is not known here, or its schema does not take the value for this field. */
  #check({ record, field }: ConflictView, value: Json | undefined): void {
    const entity = entityOf(record);
    const check = own(this.#checks, entity);
    if (check === undefined) {
      const known = Object.keys(this.#checks).sort().join(', ');
      const detail = `${entity} is no entity of this release; it knows ${known}`;
      throw new InvalidError(`${record} cannot be changed here`, [
        { pointer: '/record', rule: 'entity', detail },
      ]);
    }
    const failures = value === undefined ? [] : validate(check, { [field]: value });
    if (failures.length > 0) throw new InvalidError(`${field} does not take this value`, failures);
  }

  async #entry(id: string): Promise<StoredRecord> {
    const record = await this.#replica.read(`${CONFLICT}:${id}`);
    if (record === undefined) throw new NotFoundError(`conflict ${id} does not exist`);
    return record;
  }
}

/** What brings the loser back: its value, or what it added to a set or a counter in an earlier life of the record. */
function restored({ loser: { value = null }, reason }: ConflictView): Json | FieldOperation {
  if (reason !== EARLIER_LIFE || !isObject(value)) return value;
  const { added, counted } = value;
  if (added !== undefined) return addToSet({ add: [added] });
  return typeof counted === 'number' ? increment(counted) : value;
}

/** @throws UnreadableError when the record holds no entry. */
function viewOf({ key, state }: StoredRecord): ConflictView {
  const values = plainValues(state);
  if (!isEntry(values))
    throw new UnreadableError(`${key}: what the store holds is no entry of the conflict log`);
  const entry = values as unknown as Omit<ConflictView, 'id'>;
  const timed = (write: LoggedWrite): ConflictView['loser'] => ({
    ...write,
    at: new Date(stampMs(write.stamp)).toISOString(),
  });
  return { id: idOf(key), ...entry, loser: timed(entry.loser), winner: timed(entry.winner) };
}

/** Whether values are those of an entry, as far as its view would stumble over them. */
function isEntry({ record, field, reason, loser, winner }: Readonly<Record<string, Json>>): boolean {
  const isWrite = (write: Json | undefined): boolean =>
    isObject(write) && typeof write['stamp'] === 'string' && Number.isFinite(stampMs(write['stamp']));
  return (
    [record, field, reason].every((text) => typeof text === 'string') && isWrite(loser) && isWrite(winner)
  );
}
