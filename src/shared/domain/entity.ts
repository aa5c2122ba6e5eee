/**
 * What an entity is, once it is declared (`define-entity.ts`): everything else follows from this. Functions, routes, roles,
 * validators, the contract, indexes and reactions are all made from it, at both clouds.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import type { Services } from '../ports/services.ts';
import { ID_PATTERN, type JsonSchema, type Properties } from './json-schema.ts';

/**
 * How concurrent writes of a field become one.
 *
 * | policy | rule |
 * |---|---|
 * | `register` | the later write wins; the loser is in the conflict log. The default |
 * | `set` | an array of distinct elements; additions and removals merge, an addition wins against a removal |
 * | `counter` | a whole number that is changed by increments, all of which count |
 * | `whole` | an object that is one value: the later write wins, as with a register, and no member of the other one is taken |
 * | `states` | walks forward through declared states; of two concurrent transitions the one to the later state wins, whatever the clocks say, and the other is in the conflict log |
 *
 * A later release may change the policy of a field without a migration (`replication/policies/field.ts`).
 */
export type MergePolicy = 'register' | 'whole' | 'set' | 'counter' | 'states';

/**
 * Who may write a field. A client writes it in creations and changes, or in creations alone (`creation`); actions and
 * reactions by what they return.
 */
export const WRITERS = ['client', 'creation', 'action', 'reaction'] as const;
export type Writer = (typeof WRITERS)[number];

/** The states that a field walks through. */
export interface States {
  /** Every state; the first is where a record begins. Of concurrent transitions the later in this order wins. */
  readonly order: readonly string[];
  /** State → the states that may follow it, each later in the order. A state that is not named is an end. */
  readonly allowed: Readonly<Record<string, readonly string[]>>;
  /**
   * The rank of a state that a later release puts between others, so that theirs stay what they are in stored records:
   * those that have none here rank 1,000, 2,000, … in their order (`states.ts`).
   */
  readonly ranks?: Readonly<Record<string, number>>;
  /** States that the service itself leads on: a read that prefers to wait, waits until the field is in another one. */
  readonly passing?: readonly string[];
}

/** A list by something else than the id: `GET /bookings?customerId=c1&createdAt[gte]=…`. */
export interface Index {
  /** The field whose value is asked for, exactly. Records without a value are not in the index. */
  readonly on: string;
  /** The field that orders what has one value, and that ranges are asked of; `createdAt` unless it is named. */
  readonly order?: string;
  /** Over how many partitions one value is spread, where many records share it: 1 to 16; 1 unless it is said. */
  readonly buckets?: number;
  /** The order is that of the text without case and accents, and its beginnings are asked for: `name[prefix]=ear`. */
  readonly folded?: boolean;
}

/** Of an entity with owners that declares no index on their field: the one that it has all the same. */
export const OWNER_INDEX = 'byOwner';

/** Whose records they are; what nobody owns is everybody's who has the scope. */
export interface Access {
  /** The field that holds the subject of its owner: written by the creation, never changed. Others get 404. */
  readonly owner?: string;
  /** The claim of a token that names the caller's tenant. It is part of the key, so it cannot be added later. */
  readonly tenant?: string;
  /** Who may read: everybody, who is then not asked who they are. Whoever has the scope `tandem/read` unless it is said. */
  readonly read?: 'everybody';
  /** The scope that writing takes, and reading the bytes of what has content; `tandem/write` unless it is said. */
  readonly write?: string;
}

/** Who asks, as rules and handlers see it. */
export interface RuleCaller {
  /** `sub` of the token, or the name of a service's key; undefined where nobody is asked who they are. */
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  /** Claims of the token, as they were signed. */
  readonly claims: Readonly<Record<string, Json>>;
  readonly tenant: string | undefined;
}

/** What a rule knows beside the record and its input: fixed once per request, however often the write is tried. */
export interface RuleContext {
  readonly caller: RuleCaller;
  /** When the request was taken, by this site's clock. */
  readonly now: Date;
  /** The next of the request's ids, unique over all sites; the same ones in the same order each time the rule runs. */
  readonly newId: () => string;
}

/** What a write sets, in the terms of the fields' policies: a value, null, `{increment}`, `{add, remove}`, or a state. */
export type FieldChanges = Readonly<Record<string, Json | undefined>>;

/** The record as rules and reactions see it: its id, its fields, and when it was created. */
export type Values = Readonly<Record<string, Json | undefined>>;

/** `POST /<collection>/{id}/<action>` */
export interface Action {
  readonly summary: string;
  readonly input: Properties;
  readonly required: readonly string[];
  /** Code → what it means and the status of the answer. */
  readonly errors: Readonly<Record<string, DeclaredError>>;
  /** The fields that it may write; all that actions write unless it is said. */
  readonly writes?: readonly string[];
  /** Where it may be done again when its outcome is unknown; what can be proven unless it is said (`action-repeat.ts`). */
  readonly repeat?: 'elsewhere' | 'here';
  /** Pure. Throws `RuleError` to refuse; undefined leaves the record as it is. */
  readonly decide: (record: Values, input: Values, context: RuleContext) => FieldChanges | undefined;
}

export interface DeclaredError {
  readonly title: string;
  /** 4xx. */
  readonly status: number;
}

/** What a reaction's run may use. */
export interface ReactionContext {
  /** Names the effect, the same wherever and whenever it is tried again: a provider's idempotency key. */
  readonly effectId: string;
  readonly now: Date;
  /** 1 at the first try. */
  readonly attempt: number;
  /**
   * Greater than that of every earlier attempt at this record here: whoever keeps something outside the record keeps it with
   * this number, and refuses a lesser one, because a call that was given up may land late.
   */
  readonly fence: number;
  readonly site: string;
  /** Secrets, calls of other services, the log, metrics and your own settings (docs/handlers.md). */
  readonly services: Services;
  /** Aborted when the time for a run is over (`reactionRunMs`): what a provider does then counts as unknown. */
  readonly signal: AbortSignal;
}

/** What the steps of a reaction know beside the record. */
export interface StepsContext {
  /** Where they are taken. */
  readonly site: Site;
  /** Of the record: to read it again. */
  readonly key: string;
  /** 1 at the first run for this effect. One before it whose end is not in the record ended nobody knows how. */
  readonly attempt: number;
}

/** What is done while a condition on a record holds: by `run` or by `steps`. */
export interface Reaction {
  /** The fields whose change may make the condition true; their stamps name the effect. */
  readonly on: readonly string[];
  /** Pure. True: now. A number: from that moment on (epoch milliseconds). False: nothing is to be done. */
  readonly when: (record: Values, nowMs: number) => boolean | number;
  /** Does it, and returns what makes the condition false. May be called more than once with one `effectId`. */
  readonly run?: (record: Values, context: ReactionContext) => Promise<FieldChanges | undefined>;
  /**
   * The same where it is about other records of the site: a protocol, whose every step may be repeated. So it is tried again
   * however long ago it was begun, and the simulator can drive it.
   */
  readonly steps?: (record: Values, context: StepsContext) => StepsProtocol<FieldChanges | undefined>;
  /** `origin`: at one site, that of the newest of the fields' stamps. `every`: at each site, and returns nothing. */
  readonly site: 'origin' | 'every';
  /** Of `origin`: the field that names the site instead, where it has a value. */
  readonly at?: string;
  /**
   * Asks the provider whether the effect was done, where it may have forgotten the key: answers with what `run` would have
   * returned, or undefined when it was not done. Without it such an effect is parked.
   */
  readonly lookup?: (record: Values, context: ReactionContext) => Promise<FieldChanges | undefined>;
  /** Names the effect instead of the stamps: of one name it is done once. */
  readonly once?: (record: Values) => string;
  /** Also once a record is deleted: of its fields nothing is there then. Of what runs at every site. */
  readonly whenDeleted?: boolean;
  /** Raised to have records that were done reacted to again. */
  readonly version: number;
}

/** What a reaction to a lost value knows of it. */
export interface DuplicateContext extends ReactionContext {
  /** The unique field. */
  readonly field: string;
  readonly value: string;
  /** Id of the record that claimed the value first, and has it. */
  readonly winner: string;
}

/** What is done when two sites gave one value to two records: about the one that claimed it later, once per loss. */
export interface OnDuplicate {
  /** Does it, and returns what it changes of the loser. May be called more than once with one `effectId`. */
  readonly run: (loser: Values, context: DuplicateContext) => Promise<FieldChanges | undefined>;
  /** As that of a reaction. */
  readonly lookup?: (loser: Values, context: DuplicateContext) => Promise<FieldChanges | undefined>;
}

/** How long the other sites may take to have the bytes of what has a name with this beginning. */
export interface FetchRule {
  readonly prefix: string;
  /** They begin so long after it was completed. */
  readonly afterSeconds: number;
  /** So long after that it is overdue. */
  readonly withinSeconds: number;
}

/** How much one owner, or one tenant, may have at all sites together. */
export interface Quota {
  readonly ownerBytes?: number;
  readonly ownerObjects?: number;
  readonly tenantBytes?: number;
  readonly tenantObjects?: number;
}

/** The bytes that each record of an entity has beside it, in the storage of sites (docs/objects.md). */
export interface ContentRules {
  /** Media types, `image/*` for all of a kind; any unless it is said. */
  readonly types: readonly string[];
  readonly bytesMax: number;
  /** The longest beginning of the name counts. */
  readonly fetch: readonly FetchRule[];
  readonly quota: Quota;
  /** True: a record that never got content is nothing, and is deleted a week after it was created. */
  readonly required: boolean;
  /** It goes with the record of another entity whose id a field holds: within a day or two, by the inventory. */
  readonly belongsTo?: BelongsTo;
  /** What a reaction makes of the content: `GET /<collection>/{id}/<name>`. */
  readonly variants?: Variants;
}

export interface BelongsTo {
  /** Its name; one without tenants. */
  readonly entity: string;
  readonly field: string;
}

/**
 * Other contents that are made of a record's, each the content of a record of its own (`variantKey`). The fields `status`,
 * `reason` and `detail` of the record say how far that is.
 */
export interface Variants {
  /** Of the records that hold them. */
  readonly entity: string;
  readonly names: readonly string[];
}

/** For how long what others have read of an entity may be kept outside its stores, and by what it is purged (docs/caching.md). */
export interface CacheRules {
  /** What is kept is asked for again after so long, also where no purge has reached it. */
  readonly maxAgeSeconds: number;
  /** Fields by which an index lists: such a list is purged by changes of records with its value alone. */
  readonly by: readonly string[];
  /** For so long after that, a shared cache may still answer with it while the site fails; 0: never. */
  readonly staleIfErrorSeconds: number;
}

/** Records whose ids derive from keys that say when they were made (`birth.ts`): nobody chooses one. */
export interface Ids {
  /** The `Idempotency-Key` of a creation, a UUID of version 7 (RFC 9562, section 5.7). Its time is when the record was born. */
  readonly from: 'uuid7';
  /** How old the key of a record may be that is not there yet. */
  readonly withinMs: number;
}

/** Whose records they are, for the export and the erasure of a person (docs/persons.md). */
export interface SubjectRule {
  /** The field whose value names the person, as tokens do (`sub`); or `idField`: the id does. */
  readonly field: string;
  /**
   * Of records that have to stay, such as orders: the fields that are emptied, while that of the subject gets a pseudonym.
   * Absent: nothing of a record stays.
   */
  readonly empties?: readonly string[];
  /** Pure. False while a record is still needed as it is, such as an order that is being paid: its erasure waits. */
  readonly when?: (record: Values) => boolean;
}

export interface Entity {
  /** Singular, lower case; prefixes the keys and the event types: `user`. */
  readonly name: string;
  /** Plural, the first segment of its path: `users`. */
  readonly collection: string;
  /** The field that clients know the id by: `userId`. */
  readonly idField: string;
  /** One line for the contract. */
  readonly description: string;
  readonly example: Readonly<Record<string, Json>>;
  /** Id → fields, of records that `npm start -- --seed` writes. */
  readonly samples: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Other paths of a creation: `/user`. */
  readonly aliases: readonly string[];
  /** Field → JSON Schema of its value as it is shown. */
  readonly fields: Properties;
  /** What a creation must have. */
  readonly required: readonly string[];
  /** Field → how it merges, where it is no register. */
  readonly merge: Readonly<Record<string, MergePolicy>>;
  /** Field → its states, where it has some. */
  readonly states: Readonly<Record<string, States>>;
  /** Field → who writes it, where that is not clients alone. */
  readonly by: Readonly<Record<string, readonly Writer[]>>;
  /** Field → the scopes, one of which a caller must have to see it; `owner` is the record's owner. */
  readonly readableBy: Readonly<Record<string, readonly string[]>>;
  /** Fields whose values no two live records share, as far as one site knows. */
  readonly unique: readonly string[];
  readonly onDuplicate?: OnDuplicate;
  readonly indexes: Readonly<Record<string, Index>>;
  readonly access: Access;
  /** Absent: clients may choose them, and a creation needs no key. */
  readonly ids?: Ids;
  readonly content?: ContentRules;
  readonly subject?: SubjectRule;
  /** Absent: nothing is kept by caches. */
  readonly cache?: CacheRules;
  /** False: callers never delete its records; absent: they may. */
  readonly removable?: boolean;
  /** The sites that keep its records, for data that may not be elsewhere; absent: every site. */
  readonly sites?: readonly string[];
  /** The site that writes its records, until another one is promoted; absent: every site that keeps them. */
  readonly writes?: string;
  readonly actions: Readonly<Record<string, Action>>;
  readonly reactions: Readonly<Record<string, Reaction>>;
}

/** How a field merges. */
export function policyOf(entity: Entity, field: string): MergePolicy {
  return own(entity.merge, field) ?? 'register';
}

/** Who may write a field. */
export function writersOf(entity: Entity, field: string): readonly Writer[] {
  return own(entity.by, field) ?? CLIENTS;
}

const CLIENTS: readonly Writer[] = ['client'];

/** What a field shows that holds nothing, where that is declared: what records read that were written before it was. */
export function defaultOf({ fields }: Pick<Entity, 'fields'>, field: string): Json | undefined {
  return (own(fields, field) as { readonly default?: Json } | undefined)?.default;
}

/** Whether a field is an object whose members merge one by one; `whole` says that it is not. */
export function mergesByMember(entity: Entity, field: string): boolean {
  const type = (entity.fields[field] as { type?: unknown } | undefined)?.type;
  return policyOf(entity, field) === 'register' && type === 'object';
}

/** Whether a write alone decides what a field holds, whatever was there: not a set, a counter or members. */
export function isOneValue(entity: Entity, field: string): boolean {
  const policy = policyOf(entity, field);
  return (
    policy === 'states' || policy === 'whole' || (policy === 'register' && !mergesByMember(entity, field))
  );
}

/** Whether callers may delete its records. */
export function isRemovable({ removable }: Pick<Entity, 'removable'>): boolean {
  return removable !== false;
}

/** Whether callers create its records: not what the service makes, of which they write no field and delete none. */
export function isCreatable(entity: Entity): boolean {
  return isRemovable(entity) || creationFields(entity).length > 0;
}

/** Whether callers upload what its records hold: not where the service makes them, content included. */
export function takesUploads(entity: Entity): boolean {
  return entity.content !== undefined && isCreatable(entity);
}

/** Whether there is a field that callers change. */
export function isChangeable(entity: Entity): boolean {
  return clientFields(entity).length > 0;
}

/** The fields that clients change, with their schemas: not the owner, whom the site writes. */
export function clientFields(entity: Entity): [string, JsonSchema][] {
  return fieldsOf(entity, ['client']);
}

/** The fields that clients give in a creation: those that they change, and those that never change afterwards. */
export function creationFields(entity: Entity): [string, JsonSchema][] {
  return fieldsOf(entity, ['client', 'creation']);
}

function fieldsOf(entity: Entity, writers: readonly Writer[]): [string, JsonSchema][] {
  return Object.entries(entity.fields).filter(
    ([field]) =>
      writersOf(entity, field).some((writer) => writers.includes(writer)) && field !== entity.access.owner,
  );
}

/** Characters of a key behind `<entity>:` of which a tenant takes 41. */
const TENANT_ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._~-]{0,86}$';

/** Regular expression of the ids of an entity. */
export function idPatternOf({ access }: Entity): string {
  return access.tenant === undefined ? ID_PATTERN : TENANT_ID_PATTERN;
}

/** The id that clients know a record by: what stands in its key behind the entity, and behind the tenant where it has some. */
export function recordIdOf({ access }: Entity, key: string): string {
  return key.slice(key.indexOf(access.tenant === undefined ? ':' : '~') + 1);
}
