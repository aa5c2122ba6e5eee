/**
 * Whose records a request is about: what of an entity its caller may know of.
 *
 * Invariant: a record outside a scope is, to whoever asks within it, as one that does not exist: the same answers, the same
 * waiting, no entry of a list. A tenant is a part of the key, so another tenant's records are never read at all; an owner
 * is a field, which a creation writes and nothing changes.
 */
import { MalformedError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { partsOf, type StoredRecord } from '@tandem-clouds/replication/record';
import { ForbiddenError } from '../errors.ts';
import type { Entity, RuleCaller } from './entity.ts';

/** Who has it sees and changes the records of all owners, and may act for one of them. */
export const ANY_OWNER = 'tandem/any-owner';
/** Who has it may act for a tenant that it names. */
export const ANY_TENANT = 'tandem/any-tenant';

/** For whom a request is made, where its caller names somebody. */
export interface ActsFor {
  readonly owner?: string | undefined;
  readonly tenant?: string | undefined;
}

/** The digest of text, in hexadecimal. */
export type Sha256 = (text: string) => string;

/** Code units of a claim that names a tenant, or of an owner's name. */
const NAME_CHARS_MAX = 256;
/** A tenant's name that stands in a key as it is; `~` ends it there. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
const HASHED = 'h.';
const HASH_CHARS = 38;

/** What a request may know of one entity. */
export class Scope {
  /** Who asks, as rules see it. */
  readonly caller: RuleCaller;
  /** Begins every key within the scope: `booking:`, or `booking:acme~` of a tenant. */
  readonly prefix: string;
  /** Whose records alone are within it; undefined: everybody's. */
  readonly owner: string | undefined;
  /** Whether ids may be chosen: whoever is answered that an id is taken learns that a record exists. */
  readonly choosesIds: boolean;
  readonly #entity: Entity;
  readonly #creator: string | undefined;
  /** Of who asks, also where rules are not to know. */
  readonly #subject: string | undefined;

  /** @throws ForbiddenError when the caller has no part of the entity. @throws MalformedError */
  constructor(
    entity: Entity,
    caller: RuleCaller | undefined,
    {
      sha256,
      isAnybody = false,
      ...actsFor
    }: ActsFor & {
      readonly sha256?: Sha256;
      /** Nobody was asked who they are: rules know of no caller, and what they ask of one does not apply. */
      readonly isAnybody?: boolean;
    } = {},
  ) {
    this.#entity = entity;
    this.#subject = caller?.subject;
    const tenant = tenantOf(entity, caller, actsFor.tenant);
    this.caller = { ...((isAnybody ? undefined : caller) ?? NOBODY), tenant };
    this.prefix = tenant === undefined ? `${entity.name}:` : `${entity.name}:${tenantPart(tenant, sha256)}~`;
    const { sees, creates } = ownerOf(entity, caller, actsFor.owner);
    this.owner = sees;
    this.#creator = creates;
    this.choosesIds = entity.access.owner === undefined || sees === undefined;
  }

  keyOf(id: string): string {
    return `${this.prefix}${id}`;
  }

  /** The id that clients know a record of this scope by. */
  idOf(key: string): string {
    return key.slice(this.prefix.length);
  }

  /** Whether a record, which may be deleted, is within the scope. */
  holds({ key, state }: StoredRecord): boolean {
    const { owner } = this.#entity.access;
    if (!key.startsWith(this.prefix)) return false;
    return owner === undefined || this.owner === undefined || registered(state, owner) === this.owner;
  }

  /** What a creation writes beside what its client gave. @throws ForbiddenError when there is nobody to own it */
  initial(): Readonly<Record<string, Json>> {
    const { owner } = this.#entity.access;
    if (owner === undefined) return {};
    if (this.#creator === undefined) {
      throw new ForbiddenError(
        `${this.#entity.collection} have owners: the token names no subject to be one`,
      );
    }
    return { [owner]: this.#creator };
  }

  /** The part of a keyed request's name that tells apart for whom it was made; empty where that is the caller itself. */
  get actedFor(): readonly string[] {
    const { tenant } = this.caller;
    return [
      ...(tenant === undefined ? [] : [`tenant ${tenant}`]),
      ...(this.#creator === undefined || this.#creator === this.#subject ? [] : [`owner ${this.#creator}`]),
    ];
  }
}

/** Who asks where nobody is asked who they are. */
export const NOBODY: RuleCaller = { subject: undefined, scopes: [], claims: {}, tenant: undefined };

/** @returns Undefined for an entity without tenants. */
function tenantOf(
  { access: { tenant: claim }, collection }: Entity,
  caller: RuleCaller | undefined,
  named: string | undefined,
): string | undefined {
  if (claim === undefined) return undefined;
  if (caller === undefined) throw unasked(`${collection} belong to tenants`);
  const own = Object.hasOwn(caller.claims, claim) ? caller.claims[claim] : undefined;
  const mayName = caller.scopes.includes(ANY_TENANT);
  if (named !== undefined && named !== own && !mayName) {
    throw new ForbiddenError(`to act for another tenant takes the scope ${ANY_TENANT}`);
  }
  if (named !== undefined) return checkedName(named, 'tenant');
  if (isName(own)) return own;
  const hint = mayName ? '; name the tenant to act for' : '';
  throw new ForbiddenError(
    `${collection} belong to tenants: the token has no claim ${claim} of 1 to ${NAME_CHARS_MAX} characters${hint}`,
  );
}

/** Whose records a caller sees (undefined: everybody's), and who owns what it creates. */
function ownerOf(
  { access: { owner: field }, collection }: Entity,
  caller: RuleCaller | undefined,
  named: string | undefined,
): { sees: string | undefined; creates: string | undefined } {
  if (field === undefined) return { sees: undefined, creates: undefined };
  if (caller === undefined) throw unasked(`${collection} have owners`);
  const { subject, scopes } = caller;
  const seesAll = scopes.includes(ANY_OWNER);
  if (named !== undefined && named !== subject && !seesAll) {
    throw new ForbiddenError(`to act for another owner takes the scope ${ANY_OWNER}`);
  }
  if (named !== undefined) return { sees: checkedName(named, 'owner'), creates: named };
  if (seesAll) return { sees: undefined, creates: isName(subject) ? subject : undefined };
  if (!isName(subject)) {
    throw new ForbiddenError(
      `${collection} have owners: the token has no subject of 1 to ${NAME_CHARS_MAX} characters`,
    );
  }
  return { sees: subject, creates: subject };
}

function unasked(why: string): ForbiddenError {
  return new ForbiddenError(`${why}, and this site asks nobody who they are`);
}

/** Text that no encoding changes: two names never become one on their way. */
function isName(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= NAME_CHARS_MAX && value.isWellFormed();
}

function checkedName(value: string, what: 'owner' | 'tenant'): string {
  if (!isName(value)) throw new MalformedError(`the ${what} must have 1 to ${NAME_CHARS_MAX} characters`);
  return value;
}

/**
 * A tenant's name in keys, at most 40 characters that every release takes in one: as it is, or the beginning of its SHA-256
 * (152 bits), which no plain name looks like.
 */
export function tenantPart(tenant: string, sha256: Sha256 = noDigest): string {
  if (PLAIN.test(tenant) && !tenant.startsWith(HASHED)) return tenant;
  return `${HASHED}${sha256(tenant).slice(0, HASH_CHARS)}`;
}

function noDigest(): never {
  throw new TypeError('a tenant with such a name needs a digest');
}

function registered(state: StoredRecord['state'], field: string): Json | undefined {
  return partsOf(state, field).register?.[1];
}
