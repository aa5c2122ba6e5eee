/** Writes values of an earlier moment forward, as an operator asks: a write like any other, which crosses like any other. */
import type { Json } from '@tandem-clouds/replication/json';
import { hasErasures } from '@tandem-clouds/replication/lives';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { own } from '@tandem-clouds/replication/own';
import { increment } from '@tandem-clouds/replication/policies/counter';
import { replace } from '@tandem-clouds/replication/policies/set';
import { DELETED, entityOf, plainValues, stateName } from '@tandem-clouds/replication/record';
import type { Entity } from '../domain/entity.ts';
import type { Replica } from '../domain/replica.ts';
import { overruling } from '../domain/states.ts';
import { InvalidError, NotFoundError, PreconditionFailedError } from '../errors.ts';
import { validate } from '../validation/validate.ts';
import type { ChangeChecks } from './conflict-service.ts';

/** What is to be written to one record. */
export interface RestoreRequest {
  readonly key: string;
  /** Name of the state that this was decided by: another one is refused. */
  readonly state: string;
  readonly fields: readonly {
    readonly field: string;
    readonly to: Json;
    readonly as: 'value' | 'set' | 'counter';
  }[];
  /** It comes back from a deletion, or goes. */
  readonly life?: 'back' | 'gone';
}

export interface RestoreView {
  readonly key: string;
  readonly state: string;
  readonly fields: readonly string[];
}

export class RestoreService {
  readonly #replica: Replica;
  readonly #checks: ChangeChecks;
  readonly #entities: readonly Entity[];

  constructor(replica: Replica, { checks, entities }: { checks: ChangeChecks; entities: readonly Entity[] }) {
    this.#replica = replica;
    this.#checks = checks;
    this.#entities = entities;
  }

  /**
   * @throws NotFoundError when nothing was ever written under the key.
   * @throws PreconditionFailedError when the record has changed since.
   * @throws InvalidError when the entity is not known here, or does not take a value: each is named.
   * @throws OutOfBoundsError when a field walks through states and is in a later one.
   */
  async restore({ key, state, fields, life }: RestoreRequest): Promise<RestoreView> {
    this.#check(key, fields);
    const states = this.#entities.find(({ name }) => name === entityOf(key))?.states;
    const written = await this.#replica.write({
      key,
      decide: (current) => {
        if (current === undefined) throw new NotFoundError(`${key} was never written`);
        if (stateName(current.state) !== state)
          throw new PreconditionFailedError(
            `${key} has changed since: its state is ${stateName(current.state)}`,
          );
        if (life === 'back' && hasErasures(current.state))
          throw new NotFoundError(`${key} was erased: what it held does not come back`);
        if (life === 'gone') return { [DELETED]: true };
        const values = plainValues(current.state);
        const changes: Record<string, Changes[string]> = life === 'back' ? { [DELETED]: null } : {};
        for (const { field, to, as } of fields) {
          const walk = own(states ?? {}, field);
          const from = own(values, field);
          if (walk !== undefined) {
            const operation = overruling(field, walk, { from, to });
            if (operation !== undefined) changes[field] = operation;
          } else if (as === 'set') changes[field] = replace(Array.isArray(to) ? (to as readonly Json[]) : []);
          else if (as === 'counter') changes[field] = increment(Number(to) - Number(from ?? 0));
          else changes[field] = to;
        }
        return changes;
      },
    });
    return { key, state: stateName(written.state), fields: fields.map(({ field }) => field) };
  }

  #check(key: string, fields: RestoreRequest['fields']): void {
    const entity = entityOf(key);
    const check = own(this.#checks, entity);
    if (check === undefined) {
      const known = Object.keys(this.#checks).sort().join(', ');
      const detail = `${entity} is no entity of this release; it knows ${known}`;
      throw new InvalidError(`${key} cannot be changed here`, [{ pointer: '/key', rule: 'entity', detail }]);
    }
    // As they would be stored, which a client could not always ask for; null takes a field away.
    const values = fields.filter(({ to }) => to !== null);
    const failures = validate(check, Object.fromEntries(values.map(({ field, to }) => [field, to])));
    if (failures.length > 0) throw new InvalidError(`${key} does not take these values`, failures);
  }
}
