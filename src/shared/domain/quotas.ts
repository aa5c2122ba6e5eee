/**
 * What the contents of one owner's, or one tenant's, records may take together.
 *
 * Usage is a record of its own for each account: two counters, bytes and objects, that every site adds to. Invariant: what
 * is refused or let in at one site is decided in the very write that counts it, so at one site nobody gets more than the
 * quota, however many uploads are completed at once. Another site's uploads count as soon as they have crossed; two sites
 * that have not heard of each other may each grant what was left (docs/objects.md, "Quotas").
 *
 * Counted is the content that a record names, not what is kept of it beside that for a conflict or a day. A count is made
 * under a name, once; what a crash between it and the record's write leaves wrong, or two sites that replaced one content
 * at the same time, the inventory puts right (`replication/objects/usage.ts`).
 */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import { isPermanent } from '@tandem-clouds/replication/errors';
import { addUsage, type Usage, usageIn } from '@tandem-clouds/replication/objects/usage';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import { entityOf, partsOf, type RecordState } from '@tandem-clouds/replication/record';
import { USAGE } from '@tandem-clouds/replication/reserved';
import { type Failure, QuotaExceededError } from '../errors.ts';
import type { ContentRules, Entity } from './entity.ts';
import type { Sha256 } from './scope.ts';

/** Where a record's content is counted, and how much that may be. */
export interface Account {
  /** Key of the record that counts. */
  readonly key: string;
  readonly of: 'owner' | 'tenant';
  readonly limits: Partial<Usage>;
}

/** What an entity says of it. */
export type EntityWithQuota = Pick<Entity, 'name' | 'access' | 'sites'> & {
  readonly content?: Pick<ContentRules, 'quota'>;
};

/** The accounts of a record: none, one, or that of its owner and then that of its tenant. */
export type AccountsOf = (record: {
  readonly key: string;
  readonly owner: string | undefined;
}) => readonly Account[];

/**
 * @param sha256 In hexadecimal. Not a faster digest: who could make two names collide would share another's quota. A key
 * names nobody.
 */
export function accountsOf(entities: readonly EntityWithQuota[], sha256: Sha256): AccountsOf {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  return ({ key, owner }) => {
    const entity = byName.get(entityOf(key));
    const quota = entity?.content?.quota;
    if (entity === undefined || quota === undefined) return [];
    const tenant = entity.access.tenant === undefined ? undefined : key.slice(0, key.indexOf('~'));
    const keyOf = (name: readonly string[]): string =>
      `${USAGE}:${sha256(canonicalJson([entity.name, ...name]))}${entity.sites ? `.${entity.name}` : ''}`;
    const ofOwner = limitsOf(quota.ownerBytes, quota.ownerObjects);
    const ofTenant = limitsOf(quota.tenantBytes, quota.tenantObjects);
    return [
      // An owner of one tenant is another than that of the same name in another.
      ...(ofOwner !== undefined && owner !== undefined
        ? [{ key: keyOf(['owner', tenant ?? '', owner]), of: 'owner' as const, limits: ofOwner }]
        : []),
      ...(ofTenant !== undefined && tenant !== undefined
        ? [{ key: keyOf(['tenant', tenant]), of: 'tenant' as const, limits: ofTenant }]
        : []),
    ];
  };
}

function limitsOf(bytes: number | undefined, objects: number | undefined): Partial<Usage> | undefined {
  if (bytes === undefined && objects === undefined) return undefined;
  return { ...(bytes !== undefined && { bytes }), ...(objects !== undefined && { objects }) };
}

/** Whose a record is, by the field that its entity names; also of one that is deleted. */
export function ownerIn({ access }: Pick<EntityWithQuota, 'access'>, state: RecordState): string | undefined {
  const owner = access.owner === undefined ? undefined : partsOf(state, access.owner).register?.[1];
  return typeof owner === 'string' ? owner : undefined;
}

/** By what a record's usage changes when its content does; undefined: it has none. */
export function usageChange(
  before: { readonly bytes: number } | undefined,
  after: { readonly bytes: number } | undefined,
): Usage {
  const one = (content: object | undefined): number => (content === undefined ? 0 : 1);
  return { bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0), objects: one(after) - one(before) };
}

/**
 * Refuses what would not fit as usage is now, and counts nothing: before somebody is given a URL to upload to.
 * @throws QuotaExceededError that names limit and usage
 */
export function* checkQuota(accounts: readonly Account[], change: Usage): Protocol<void> {
  yield* requireRooms(accounts, { change });
}

/** @param operationId What was counted under this name has its room. */
function* requireRooms(
  accounts: readonly Account[],
  { change, operationId }: { readonly change: Usage; readonly operationId?: string },
): Protocol<void> {
  for (const account of accounts) {
    const record = (yield* get(account.key))?.record;
    const isCounted = operationId !== undefined && record?.operations.includes(operationId) === true;
    if (!isCounted) requireRoom(account, usageIn(record), change);
  }
}

/**
 * Counts a change of one record's content, in all its accounts or in none: before the record is written with new content,
 * and after its content is deleted. What makes usage smaller is never refused.
 * @param operationId Names what is counted, the upload or the deletion: made again at this site it counts once, for as long
 * as the account remembers (eight changes of it). So whoever finds the record changed already does not count.
 * @throws QuotaExceededError, after which nothing is counted, and what `localWrite` throws
 */
export function* used(
  site: Site,
  accounts: readonly Account[],
  { change, operationId }: { readonly change: Usage; readonly operationId: string },
): Protocol<void> {
  if (change.bytes === 0 && change.objects === 0) return;
  // What is given back counts as counted under this name: so it is refused before it is counted anywhere, but for a race.
  if (accounts.length > 1) yield* requireRooms(accounts, { change, operationId });
  const counted: Account[] = [];
  for (const account of accounts) {
    try {
      yield* count(site, account, { change, operationId, enforced: true });
      counted.push(account);
    } catch (error) {
      if (isPermanent(error)) yield* giveBack(site, counted, { change, operationId });
      throw error;
    }
  }
}

/** Takes back what `used` has counted under this name, when the record's write was refused for good. */
export function* giveBack(
  site: Site,
  accounts: readonly Account[],
  { change, operationId }: { readonly change: Usage; readonly operationId: string },
): Protocol<void> {
  const back = { bytes: -change.bytes, objects: -change.objects };
  for (const account of accounts)
    yield* count(site, account, { change: back, operationId: `${operationId}/back`, enforced: false });
}

interface Count {
  readonly change: Usage;
  readonly operationId: string;
  readonly enforced: boolean;
}

function* count(site: Site, account: Account, { change, operationId, enforced }: Count): Protocol<void> {
  yield* addUsage(site, account.key, {
    change,
    operationId,
    ...(enforced && { require: (usage: Usage) => requireRoom(account, usage, change) }),
  });
}

/** @throws QuotaExceededError */
function requireRoom({ of, limits }: Account, usage: Usage, change: Usage): void {
  const failures: Failure[] = (['bytes', 'objects'] as const).flatMap((unit) => {
    const limit = limits[unit];
    if (limit === undefined || change[unit] <= 0 || usage[unit] + change[unit] <= limit) return [];
    const detail = `the ${of} uses ${usage[unit]} of ${limit} ${unit}; ${change[unit]} more do not fit`;
    const rule = `${of}${unit === 'bytes' ? 'Bytes' : 'Objects'}`;
    return [{ pointer: unit === 'bytes' ? '/bytes' : '', rule, detail }];
  });
  if (failures.length > 0)
    throw new QuotaExceededError(failures.map(({ detail }) => detail).join('; '), failures);
}
