/**
 * A write of a record some of whose fields are unique: reserves what it is about to give the record, then writes.
 *
 * Invariant: `decide` lets a new value through only with a claim that this very write has made, and that is fresh; otherwise
 * the value is claimed (again) and the write tried once more. What a record has no more stays claimed, and is passed over
 * by whoever wants it: to take it back at once would let others have it where the record's change has not arrived yet.
 */
import { AppError, isPermanent, UnavailableError } from '@tandem-clouds/replication/errors';
import { type Changes, type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { own } from '@tandem-clouds/replication/own';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { reservationAttemptsMax, reservationFreshMs } from '../../bounds.ts';
import { ConflictError } from '../../errors.ts';
import { release, type Reservation, reserve, type Wanted } from './reservation.ts';

export interface UniqueFields {
  /** Names this run of the write, and no other: what it claims first it may take back. */
  readonly by: string;
  /** Fields of type string. */
  readonly names: readonly string[];
  /** Key of the reservation of a value. */
  readonly reservationOf: (field: string, value: string) => string;
}

interface Reserved extends Reservation {
  readonly wanted: Wanted;
}

/** As `localWrite`. @throws OutOfBoundsError when a value is another record's. */
export function* writeUnique(site: Site, unique: UniqueFields, write: LocalWrite): Protocol<StoredRecord> {
  const reserved = new Map<string, Reserved>();
  const isFresh = ({ reservation }: Wanted): boolean =>
    site.now() - (reserved.get(reservation)?.claim.seen ?? -Infinity) <= reservationFreshMs;
  const decide: LocalWrite['decide'] = (current, live) => {
    const decided = write.decide(current, live);
    const changes = decided && live ? withoutRepeats(unique, decided, current) : decided;
    if (changes === undefined) return undefined;
    const missing = newValues(unique, write.key, changes, live ? current : undefined).filter(
      (wanted) => !isFresh(wanted),
    );
    if (missing.length > 0) throw new Unreserved(missing);
    return changes;
  };
  try {
    for (let attempt = 0; attempt < reservationAttemptsMax; attempt += 1) {
      try {
        return yield* localWrite(site, { ...write, decide });
      } catch (error) {
        if (!(error instanceof Unreserved)) throw error;
        for (const wanted of error.missing) {
          const made = yield* reserve(site, wanted, { by: unique.by, attempt });
          const again = made.again || reserved.get(wanted.reservation)?.again === true;
          reserved.set(wanted.reservation, { ...made, again, wanted });
        }
      }
    }
    throw new UnavailableError(`${write.key} is being written too often`);
  } catch (error) {
    // What may have taken effect keeps its claim.
    if (isPermanent(error)) for (const each of reserved.values()) yield* giveBack(site, each);
    throw error;
  }
}

/**
 * The value that a record has already is no change of it: every value was written by a write that had claimed it, so a site
 * that repeats it does not bring it back where another has just given it up. Undefined where nothing else is changed.
 */
function withoutRepeats(
  { names }: UniqueFields,
  changes: Changes,
  current: StoredRecord | undefined,
): Changes | undefined {
  const held = current === undefined ? {} : plainValues(current.state);
  const isRepeated = ([field, value]: [string, unknown]): boolean =>
    names.includes(field) && typeof value === 'string' && held[field] === value;
  const repeated = Object.entries(changes).filter(isRepeated);
  if (repeated.length === 0) return changes;
  const others = Object.entries(changes).filter((entry) => !isRepeated(entry));
  return others.length === 0 ? undefined : Object.fromEntries(others);
}

/** The values that a write gives its record anew. */
function newValues(
  { names, reservationOf }: UniqueFields,
  record: string,
  changes: Changes,
  current: StoredRecord | undefined,
): readonly Wanted[] {
  const before = current === undefined ? {} : plainValues(current.state);
  return names.flatMap((field) => {
    const value = own(changes, field);
    if (typeof value !== 'string' || before[field] === value) return [];
    return [{ reservation: reservationOf(field, value), record, field, value }];
  });
}

/** Takes back the claim of a write that was refused, unless the record had claimed the value before. */
function* giveBack(site: Site, { wanted, claim, again }: Reserved): Protocol<void> {
  if (again) return;
  try {
    yield* release(site, wanted, claim);
  } catch (error) {
    // It will be passed over once it is old.
    if (!(error instanceof AppError)) throw error;
  }
}

/** Values that are not reserved, or not any more. Never leaves this module. */
class Unreserved extends ConflictError {
  readonly missing: readonly Wanted[];

  constructor(missing: readonly Wanted[]) {
    super('the values are not reserved');
    this.missing = missing;
  }
}
