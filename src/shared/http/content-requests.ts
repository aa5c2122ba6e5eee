/**
 * What the routes of an entity with content do beside those of other entities: an upload is announced or brought along with
 * the creation, becomes the content by the action that every such entity has, and is read by a redirection to a storage.
 *
 * Invariant: bytes that were acknowledged are never 404: they are here, or whoever holds them answers, or the answer is 503 and
 * names who holds them.
 */
import type { SeenState } from '@tandem-clouds/replication/await-states';
import type { Json } from '@tandem-clouds/replication/json';
import { claimants, type Content, siteOfUpload } from '@tandem-clouds/replication/objects/content';
import { plainValues, stateName, type StoredRecord } from '@tandem-clouds/replication/record';
import { COMPLETE, completeAction, VARIANT_REFUSED, variantKey } from '../domain/content.ts';
import type { ContentAccounts } from '../domain/content-accounts.ts';
import { checkTerms, type ContentStorage, type UploadTerms } from '../domain/content-storage.ts';
import type { ContentRules, Entity } from '../domain/entity.ts';
import type { CreateOptions, Creation, EntityService } from '../domain/entity-service.ts';
import { valuesOf } from '../domain/field-changes.ts';
import { RuleError } from '../domain/rule-error.ts';
import { declaredRefusal } from '../domain/run-rule.ts';
import type { Scope } from '../domain/scope.ts';
import {
  ConflictError,
  ContentMismatchError,
  ContentUnavailableError,
  InvalidError,
  NotFoundError,
} from '../errors.ts';
import type { HttpReply } from './route.ts';

/** How long a client may follow a redirection again, seconds: well within the life of the URL. */
const REDIRECT_SECONDS = 60;

/** For whom, and what the answer must not be older than. */
interface Within {
  readonly scope: Scope;
  readonly records: EntityService;
  readonly seen?: readonly SeenState[] | undefined;
}

/** Of the action that completes. */
type Input = Readonly<Record<string, Json>>;

export interface CreationWithUpload extends Creation {
  /** A record of this name was there. */
  readonly existed?: boolean;
  /** Where the bytes are to be sent (`signedUploadSchema`). */
  readonly upload?: Readonly<Record<string, Json>>;
}

export class ContentRequests {
  readonly #entity: Entity;
  readonly #rules: ContentRules;
  readonly #storage: ContentStorage;
  readonly #accounts: ContentAccounts;
  readonly #find: (key: string) => Promise<StoredRecord | undefined>;

  /** @param rules Those of the entity. */
  constructor(
    entity: Entity,
    rules: ContentRules,
    {
      storage,
      accounts,
      find,
    }: {
      readonly storage: ContentStorage;
      readonly accounts: ContentAccounts;
      /** A live record by its key, of whichever entity. */
      readonly find: (key: string) => Promise<StoredRecord | undefined>;
    },
  ) {
    this.#entity = entity;
    this.#rules = rules;
    this.#storage = storage;
    this.#accounts = accounts;
    this.#find = find;
  }

  /** Creates the record, unless one of this name is there; then its upload is announced, or becomes its content at once. */
  async create(
    body: Readonly<Record<string, Json>>,
    options: Within & CreateOptions,
  ): Promise<CreationWithUpload> {
    const { upload, ...values } = body;
    const terms = upload as UploadTerms | undefined;
    if (terms !== undefined) this.#check(terms, values);
    const creation = await this.#createOrFind(values, options);
    if (terms === undefined) return creation;
    const { key } = creation.record;
    const before = contentOf(this.#entity, creation.record);
    // A request that is repeated has brought its bytes already.
    if (terms.data !== undefined && creation.replayed && before !== undefined) return creation;
    await this.#accounts.check(creation.record, before, { bytes: bytesOf(terms) });
    if (terms.data === undefined) return { ...creation, upload: await this.#announced(key, terms) };
    const input = await this.#completion(key, await this.#put(key, terms));
    const { scope, records, seen } = options;
    const act = (): Promise<Creation> =>
      records.act(records.idOf(creation.record), { name: COMPLETE, input }, { caller: scope.caller, seen });
    return {
      ...creation,
      ...(await this.#counted(creation.record, input, act)),
      replayed: creation.replayed,
    };
  }

  /** Completes an upload. @param act Runs the action, with what the client named and what the site has found of it. */
  async complete(
    id: string,
    { upload }: Readonly<Record<string, Json>>,
    { records, seen }: Within,
    act: (input: Input) => Promise<Creation>,
  ): Promise<Creation> {
    const record = await records.read(id, seen);
    const content = contentOf(this.#entity, record);
    // Done before: whatever has become of the bytes at that site, nothing is to be compared or counted.
    if (content !== undefined && content.upload === upload) return act({ upload, content: { ...content } });
    const input = await this.#completion(record.key, upload as string);
    return this.#counted(record, input, () => act(input));
  }

  /** Removes records; their bytes are no longer their owners' to pay for. */
  removing(records: EntityService): Pick<EntityService, 'isAccepted' | 'remove'> {
    return {
      isAccepted: (creation) => records.isAccepted(creation),
      remove: async (id, options) => {
        const before = await records.find(id, options.seen);
        const removed = await records.remove(id, options);
        const content = before && contentOf(this.#entity, before);
        if (content !== undefined)
          await this.#accounts.count(removed, content, undefined, stateName(removed.state));
        return removed;
      },
    };
  }

  /** A redirection to the storage of this site. @throws ContentUnavailableError NotFoundError */
  async read(record: StoredRecord, headers: Readonly<Record<string, string>>): Promise<HttpReply> {
    const { name, heldBy, id = '' } = valuesOf(this.#entity, record);
    const content = contentOf(this.#entity, record);
    if (content === undefined)
      throw new NotFoundError(
        `${this.#entity.name} ${id as string} has no content: no upload of it was completed`,
      );
    const holders = claimants(heldBy as readonly string[], content.upload);
    if (!holders.includes(this.#storage.site)) throw unavailable(id as string, content, holders);
    const { url } = await this.#storage.download(record.key, content, typeof name === 'string' ? name : '');
    return {
      status: 302,
      headers: { ...headers, location: url, 'cache-control': `private, max-age=${REDIRECT_SECONDS}` },
    };
  }

  /**
   * A redirection to a variant, for everybody to keep for a while. Without one, the code says whether to come again.
   * @throws ContentUnavailableError RefusedByRuleError
   */
  async readVariant(record: StoredRecord, name: string): Promise<HttpReply> {
    const { id = '', status, reason, detail } = valuesOf(this.#entity, record) as Record<string, string>;
    if (status === VARIANT_REFUSED) throw variantRefused(`${reason ?? ''}: ${detail ?? ''}`);
    const key = variantKey(this.#rules.variants?.entity ?? '', id, name);
    const { content, heldBy } = await this.#variant(key);
    if (content === undefined) throw variantMissing(`${this.#entity.name} ${id} is ${status ?? ''}`);
    const holders = claimants(heldBy, content.upload);
    if (!holders.includes(this.#storage.site)) throw unavailable(key, content, holders);
    const { url } = await this.#storage.download(key, content, '');
    return {
      status: 302,
      headers: { location: url, 'cache-control': `public, max-age=${REDIRECT_SECONDS}` },
    };
  }

  async #variant(
    key: string,
  ): Promise<{ readonly content?: Content | undefined; readonly heldBy: readonly string[] }> {
    const record = await this.#find(key);
    const { content, heldBy = [] } = record === undefined ? {} : plainValues(record.state);
    return {
      content: (content ?? undefined) as unknown as Content | undefined,
      heldBy: heldBy as readonly string[],
    };
  }

  /** @throws InvalidError */
  #check(terms: UploadTerms, { name, [this.#entity.idField]: id }: Readonly<Record<string, Json>>): void {
    checkTerms(this.#rules, terms);
    if (name === undefined && id === undefined)
      throw new InvalidError('the body is invalid', [
        { pointer: '/name', rule: 'required', detail: 'is required of what is uploaded' },
      ]);
  }

  async #createOrFind(
    values: Readonly<Record<string, Json>>,
    { records, ...options }: Within & CreateOptions,
  ): Promise<CreationWithUpload> {
    try {
      return await records.create(values, options);
    } catch (error) {
      if (!(error instanceof ConflictError) || typeof values['name'] !== 'string') throw error;
      const { name, [this.#entity.idField]: chosen, ...changes } = values;
      const id = typeof chosen === 'string' ? chosen : records.idOfName(name);
      if (Object.keys(changes).length > 0)
        return { ...(await records.change(id, changes, { ...options, request: undefined })), existed: true };
      return { record: await records.read(id, options.seen), replayed: false, existed: true };
    }
  }

  #counted(record: StoredRecord, input: Input, act: () => Promise<Creation>): Promise<Creation> {
    const after = input['content'] as unknown as Content;
    const before = contentOf(this.#entity, record);
    return this.#accounts.around(record, { before, after, operationId: after.upload }, act);
  }

  async #announced(key: string, terms: UploadTerms): Promise<Readonly<Record<string, Json>>> {
    const { id, signed } = await this.#storage.announce(key, terms);
    const { method, url, headers, expiresAtMs } = signed;
    return { id, method, url, headers, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  async #put(key: string, terms: UploadTerms): Promise<string> {
    try {
      return await this.#storage.put(key, terms);
    } catch (error) {
      throw error instanceof ContentMismatchError ? refused('not_as_announced', error.message) : error;
    }
  }

  /** @throws RefusedByRuleError */
  async #completion(key: string, upload: string): Promise<Input> {
    try {
      const content = await this.#storage.verified(key, upload);
      if (content !== undefined) return { upload, content: { ...content } };
    } catch (error) {
      throw error instanceof ContentMismatchError ? refused('not_as_announced', error.message) : error;
    }
    throw refused('not_uploaded', `${siteOfUpload(upload)} has nothing of ${upload}`);
  }
}

function bytesOf({ data, bytes = 0 }: UploadTerms): number {
  return data === undefined ? bytes : Buffer.byteLength(data, 'base64');
}

function contentOf(entity: Entity, record: StoredRecord): Content | undefined {
  return (valuesOf(entity, record)['content'] as Content | null | undefined) ?? undefined;
}

function refused(code: string, detail: string): Error {
  return declaredRefusal(COMPLETE, completeAction.errors, new RuleError(code, detail));
}

/** Of the variants of a content: neither is there for good. */
export const variantErrors = {
  not_ready: { title: 'It is being made: come again', status: 404 },
  refused: { title: 'It cannot be made of what was sent', status: 404 },
} as const;

function variantMissing(detail: string): Error {
  return declaredRefusal('variants', variantErrors, new RuleError('not_ready', detail));
}

function variantRefused(detail: string): Error {
  return declaredRefusal('variants', variantErrors, new RuleError('refused', detail));
}

function unavailable(id: string, { upload, bytes }: Content, holders: readonly string[]): Error {
  const held = holders.length === 0 ? 'no site holds them now' : `held by ${holders.join(', ')}`;
  return new ContentUnavailableError(`${id}: the ${bytes} bytes of ${upload} are not here; ${held}`, holders);
}
