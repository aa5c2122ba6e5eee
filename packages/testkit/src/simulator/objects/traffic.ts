/**
 * Clients that upload, complete, replace, delete and put back the content of a few records, at any site. An upload goes as in
 * production: the record, the bytes, the completion, which may be asked at another site, and twice.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { CONTENT, storageName } from '@tandem-clouds/replication/objects/content';
import { head, type ObjectProtocol } from '@tandem-clouds/replication/objects/effects';
import type { Site } from '@tandem-clouds/replication/protocol';
import { isLive } from '@tandem-clouds/replication/record';
import { completeAction } from '../../../../../src/shared/domain/content.ts';
import { deletion } from '../../../../../src/shared/domain/entity-service.ts';
import { fieldChanges, initialChanges, valuesOf } from '../../../../../src/shared/domain/field-changes.ts';
import { object } from '../../../../../src/shared/entities/object.ts';
import { ContentMismatchError, NotFoundError } from '../../../../../src/shared/errors.ts';
import { logOf } from '../../checkers/conflicts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Holding, Upload } from './holding.ts';
import { BODY_BYTES, checksumOf, PART_BYTES } from './storage.ts';

/** By the beginning of their names some are fetched at once, others an hour later. */
const NAMES = [
  'pictures/a',
  'pictures/b',
  'pictures/c',
  'pictures/d',
  'critical/e',
  'critical/f',
  'logs/g',
  'logs/h',
];
const KEYS = NAMES.map((name) => `object:${name.at(-1) ?? ''}`);
const PARTS_MAX = 20;
const ATTEMPTS_MAX = 5;

export class Clients {
  readonly #holding: Holding;
  /** Called when something has come to a site's storage. */
  onUploaded: (site: SimSite) => void = () => undefined;
  #uploads = 0;

  constructor(holding: Holding) {
    this.#holding = holding;
  }

  operate(): void {
    const { random, sites, counts } = this.#holding.world;
    counts.operations += 1;
    const roll = random.next();
    const [key, site] = [random.pick(KEYS), random.pick(sites)];
    if (roll < 0.65) {
      this.#upload(site, key);
      // Often somebody else replaces it at another site, at the same moment.
      if (random.chance(0.3)) this.#upload(random.pick(sites), key);
    } else if (roll < 0.75) this.#delete(site, key);
    else if (roll < 0.85) this.#putBack(site, key);
    else this.#holding.recheck(site, key);
  }

  #upload(site: SimSite, key: string): void {
    const upload = this.#announced(site, key);
    this.#create(upload, () => this.#send(upload, 1));
  }

  #announced(site: SimSite, key: string): Upload {
    const { random } = this.#holding.world;
    this.#uploads += 1;
    const time = site.now().toString(16).padStart(12, '0');
    const id = `${site.name}.${time}${this.#uploads.toString(16).padStart(20, '0')}`;
    const bytes = random.chance(0.5)
      ? 1 + random.int(BODY_BYTES)
      : Math.floor(random.between(BODY_BYTES + 1, PARTS_MAX * PART_BYTES));
    const text = `${id}|`.repeat(Math.ceil(bytes / id.length)).slice(-bytes);
    const content = { upload: id, bytes, crc64: checksumOf(text), contentType: 'text/plain' };
    const upload = { key, name: storageName(key, id), site, text, content };
    this.#holding.uploads.set(id, upload);
    return upload;
  }

  #create({ site, key, content }: Upload, created: () => void): void {
    this.#holding.run(
      site,
      'create',
      (own) =>
        localWrite(own, {
          key,
          operationId: `create-${content.upload}`,
          creates: { keepUnseenTombstone: false },
          decide: (current, live) =>
            live && current !== undefined
              ? undefined
              : initialChanges(object, { name: NAMES[KEYS.indexOf(key)] ?? key, ownerId: 'hedy' }),
        }),
      { returned: created },
    );
  }

  #send(upload: Upload, attempt: number): void {
    const { storages, world } = this.#holding;
    world.agenda.after(world.random.between(20, 2_000), () => {
      if (storages.upload(upload.site, upload.name, upload.text)) {
        this.onUploaded(upload.site);
        // Some never say that they are done.
        if (world.random.chance(0.95)) this.#complete(upload, 1);
      } else if (attempt < ATTEMPTS_MAX) this.#send(upload, attempt + 1);
    });
  }

  /** At the site that has the bytes, or at any other. */
  #complete(upload: Upload, attempt: number): void {
    const { world, acknowledged } = this.#holding;
    const { random, agenda, sites } = world;
    const at = random.chance(0.7) ? upload.site : random.pick(sites);
    agenda.after(random.between(10, 1_000), () =>
      this.#holding.run(at, 'write', (own) => complete(own, upload), {
        returned: (isContent) => {
          world.note(upload.key, at.name, () => `completed ${upload.content.upload.slice(-4)}`, {
            tone: 'client',
          });
          if (isContent) acknowledged.add(upload.content.upload);
          if (random.chance(0.2) && attempt < ATTEMPTS_MAX) this.#complete(upload, attempt + 1);
        },
        failed: () => {
          if (attempt < ATTEMPTS_MAX)
            agenda.after(random.between(50, 20_000), () => this.#complete(upload, attempt + 1));
        },
      }),
    );
  }

  #delete(site: SimSite, key: string): void {
    this.#holding.deleted.add(key);
    this.#holding.run(site, 'write', (own) =>
      localWrite(own, {
        key,
        operationId: `delete-${this.#uploads}-${own.now()}`,
        decide: (current, live) => {
          if (!live || current === undefined) throw new NotFoundError(`no ${key}`);
          return deletion(current);
        },
      }),
    );
  }

  /** An operator overrides a conflict: the loser's register is the content again. */
  #putBack(site: SimSite, key: string): void {
    const { random } = this.#holding.world;
    const lost = logOf(site.name, site.store.records).filter(
      (entry) => entry.key === key && entry.field === CONTENT && entry.value !== 'null',
    );
    if (lost.length === 0) return;
    const content = JSON.parse(random.pick(lost).value) as Json;
    this.#holding.run(site, 'write', (own) =>
      localWrite(own, {
        key,
        operationId: `override-${this.#uploads}-${own.now()}`,
        decide: (current, live) => {
          if (!live || current === undefined) throw new NotFoundError(`no ${key}`);
          return { [CONTENT]: content };
        },
      }),
    );
  }
}

/** As the product does it: asks the storage that it was sent to, compares, and writes once. Whether it is the content then. */
function* complete(own: Site, { key, name, site, content }: Upload): ObjectProtocol<boolean> {
  const facts = yield* head(site.name, name);
  if (facts === undefined) throw new NotFoundError(`${name} has not come`);
  // Where the service cannot say the checksum, the product reads the bytes.
  if (facts.bytes !== content.bytes || (facts.crc64 ?? content.crc64) !== content.crc64)
    throw new ContentMismatchError(`${name} is not as it was announced`);
  const { versionId } = facts;
  const verified = { ...content, completedMs: own.now(), ...(versionId !== undefined && { versionId }) };
  const record = yield* localWrite(own, {
    key,
    operationId: `complete-${content.upload}-${own.site}`,
    decide: (current, live) => {
      if (!live || current === undefined) throw new NotFoundError(`no ${key}`);
      const changes = completeAction.decide(valuesOf(object, current), { content: verified }, NO_CONTEXT);
      if (changes === undefined) return undefined;
      return fieldChanges(object, current, changes, { writer: 'action', byMember: true, check: () => [] });
    },
  });
  const value = record.state.fields[CONTENT]?.[1] as { readonly upload?: string } | null | undefined;
  return isLive(record.state, own.now()) && value?.upload === content.upload;
}

/** The action uses none. */
const NO_CONTEXT = undefined as never;
