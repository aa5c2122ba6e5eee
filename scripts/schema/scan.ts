/**
 * Stored records against declarations that are not deployed yet, read page by page through the lists of the API.
 *
 * Invariant: nothing is written, no value leaves this process, and where the bound ends the scan, it says where to go on.
 * A site cannot do it by itself: what it has compiled is what it was deployed with.
 */
import { createHash } from 'node:crypto';
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { query } from '../../infra/rollout/query-site.ts';
import { pageSizeMax } from '../../src/shared/bounds.ts';
import { defaultOf, type Entity } from '../../src/shared/domain/entity.ts';
import { storedSchema } from '../../src/shared/domain/entity-schemas.ts';

const EXAMPLES_MAX = 5;

export interface ScanOptions {
  readonly url: string;
  /** Where to begin; undefined: at the beginning. */
  readonly cursor: string | undefined;
  /** Of this scan, at most so many records and a page. */
  readonly recordsMax: number;
}

/** Records that break one rule of one field. */
export interface Broken {
  /** `title`, `labels/0`, … */
  readonly field: string;
  /** `maxLength`, `type`, `required`, `unique`, … */
  readonly rule: string;
  count: number;
  /** Ids of some. */
  readonly examples: string[];
}

export interface Scanned {
  readonly entity: string;
  /** False: the site has no such entity. */
  readonly served: boolean;
  records: number;
  /** Records that the site itself cannot read. */
  unreadable: number;
  broken: Broken[];
  /** Where to go on; undefined: all of them were read. */
  cursor: string | undefined;
}

/** @throws CommandError when the site refuses or does not answer */
export async function scanEntity(entity: Entity, options: ScanOptions): Promise<Scanned> {
  const { url, recordsMax } = options;
  const scan = new Scan(entity);
  let cursor = options.cursor;
  do {
    const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const at = `/${entity.collection}?limit=${pageSizeMax}${from}`;
    const { status, json } = await asked(url, at);
    if (status === 404) return scan.result(false, undefined);
    if (status !== 200) {
      const { detail = '' } = json as { readonly detail?: string };
      throw new CommandError(`GET ${at} at ${url}: ${status} ${detail}`.trimEnd());
    }
    for (const record of json['items'] as readonly Record<string, unknown>[]) scan.add(record);
    scan.unreadable += ((json['unreadable'] ?? []) as readonly unknown[]).length;
    cursor = json['cursor'] as string | undefined;
  } while (cursor !== undefined && scan.records < recordsMax);
  return scan.result(true, cursor);
}

async function asked(url: string, at: string): ReturnType<typeof query> {
  try {
    return await query(url, 'GET', at);
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error });
  }
}

class Scan {
  records = 0;
  unreadable = 0;
  readonly #entity: Entity;
  readonly #check: ValidateFunction;
  readonly #broken = new Map<string, Broken>();
  /** Digests of values that were there, by field: a value itself is not kept. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(entity: Entity) {
    this.#entity = entity;
    const ajv = new Ajv.default({
      allErrors: true,
      strict: true,
      strictRequired: false,
      discriminator: true,
    });
    addFormats.default(ajv);
    this.#check = ajv.compile(storedSchema(entity));
  }

  add(record: Readonly<Record<string, unknown>>): void {
    this.records += 1;
    const id = String(record['id']);
    if (!this.#check(record))
      for (const error of this.#check.errors ?? []) this.#count(id, ...placeOf(error));
    for (const field of this.#mustBeThere())
      if (record[field] === undefined) this.#count(id, field, 'required');
    for (const field of this.#entity.unique) this.#share(id, field, record[field]);
  }

  result(served: boolean, cursor: string | undefined): Scanned {
    const { records, unreadable } = this;
    const broken = [...this.#broken.values()].sort((a, b) => b.count - a.count);
    return { entity: this.#entity.name, served, records, unreadable, broken, cursor };
  }

  /** A field that this caller may not see is not missing. */
  #mustBeThere(): readonly string[] {
    const { required, readableBy } = this.#entity;
    return required.filter(
      (field) => defaultOf(this.#entity, field) === undefined && !Object.hasOwn(readableBy, field),
    );
  }

  #share(id: string, field: string, value: unknown): void {
    if (typeof value !== 'string') return;
    const seen = this.#seen.get(field) ?? new Set();
    this.#seen.set(field, seen);
    const digest = createHash('sha256').update(value).digest('base64');
    if (seen.has(digest)) this.#count(id, field, 'unique');
    seen.add(digest);
  }

  #count(id: string, field: string, rule: string): void {
    const key = JSON.stringify([field, rule]);
    const broken = this.#broken.get(key) ?? { field, rule, count: 0, examples: [] };
    this.#broken.set(key, broken);
    broken.count += 1;
    if (broken.examples.length < EXAMPLES_MAX) broken.examples.push(id);
  }
}

/** By field: members of objects have names that are data. */
function placeOf({ instancePath, keyword }: ErrorObject): readonly [field: string, rule: string] {
  return [instancePath.split('/')[1] ?? '', keyword];
}
