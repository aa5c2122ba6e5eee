/**
 * Names of the objects of an archive. Each but a content names the SHA-256 of its own bytes, so that what was changed or cut
 * short is found without asking anybody; and begins with a time, so that a listing is in order. Of a content the record has the
 * CRC-64, and an upload never changes.
 *
 * What is kept for how long is a rule of the storage, by how names begin; so the folder comes before the site.
 *
 * `v1/segments/<site>/<ms>-<sha256>.jsonl.gz`               what was written, as it was sent
 * `v1/manifests/<site>/<ms>-<sha256>.json`                  the segments since the manifest before
 * `v1/<daily|weekly>/<site>/<ms>/<part>-<sha256>.jsonl.gz`  a part of a full backup
 * `v1/<daily|weekly>/<site>/<ms>/complete-<sha256>.json`    all its parts: without it the full is not complete
 * `v1/contents/<site>/<entity>/<id>/<upload>`               the bytes of an object
 */
import { CONTENT_PREFIX, storageName, uploadOfName } from '@tandem-clouds/replication/objects/content';
import type { SiteId } from '@tandem-clouds/replication/stamp';

export type FullKind = 'daily' | 'weekly';

/** What the name of an object says; times are epoch milliseconds. */
export type ArchiveName =
  | {
      readonly kind: 'segment' | 'manifest';
      readonly site: SiteId;
      readonly ms: number;
      readonly sha256: string;
    }
  | {
      readonly kind: 'part';
      readonly site: SiteId;
      readonly full: FullKind;
      /** When the full began. */
      readonly ms: number;
      /** From 1. */
      readonly number: number;
      readonly sha256: string;
    }
  | {
      readonly kind: 'complete';
      readonly site: SiteId;
      readonly full: FullKind;
      readonly ms: number;
      readonly sha256: string;
    }
  | { readonly kind: 'content'; readonly site: SiteId; readonly key: string; readonly upload: string };

/** Of an object that names its digest. */
export type HashedName = Exclude<ArchiveName, { readonly kind: 'content' }>;

const ROOT = 'v1';
const MS_DIGITS = 13;
const PART_DIGITS = 6;

export type Folder = 'segments' | 'manifests' | FullKind | 'contents';

/** How the objects of a folder begin; of one site, or of all. */
export function prefixOf(folder: Folder, site?: SiteId): string {
  return site === undefined ? `${ROOT}/${folder}/` : `${ROOT}/${folder}/${site}/`;
}

export function nameOf(name: ArchiveName): string {
  const { kind, site } = name;
  switch (kind) {
    case 'segment':
      return `${prefixOf('segments', site)}${padded(name.ms, MS_DIGITS)}-${name.sha256}.jsonl.gz`;
    case 'manifest':
      return `${prefixOf('manifests', site)}${padded(name.ms, MS_DIGITS)}-${name.sha256}.json`;
    case 'part': {
      const full = `${prefixOf(name.full, site)}${padded(name.ms, MS_DIGITS)}`;
      return `${full}/${padded(name.number, PART_DIGITS)}-${name.sha256}.jsonl.gz`;
    }
    case 'complete':
      return `${prefixOf(name.full, site)}${padded(name.ms, MS_DIGITS)}/complete-${name.sha256}.json`;
    case 'content':
      return `${prefixOf('contents', site)}${storageName(name.key, name.upload).slice(CONTENT_PREFIX.length)}`;
  }
}

const SHA = '(?<sha256>[0-9a-f]{64})';
const FULL = '(?<full>daily|weekly)/SITE/(?<ms>[0-9]{13})';
const PATTERNS: readonly (readonly [ArchiveName['kind'], RegExp])[] = [
  ['segment', new RegExp(`^segments/SITE/(?<ms>[0-9]{13})-${SHA}\\.jsonl\\.gz$`)],
  ['manifest', new RegExp(`^manifests/SITE/(?<ms>[0-9]{13})-${SHA}\\.json$`)],
  ['part', new RegExp(`^${FULL}/(?<number>[0-9]{6})-${SHA}\\.jsonl\\.gz$`)],
  ['complete', new RegExp(`^${FULL}/complete-${SHA}\\.json$`)],
];

/** Undefined: no object of an archive has this name. */
export function readName(text: string): ArchiveName | undefined {
  const [root, folder = '', site = '', ...rest] = text.split('/');
  if (root !== ROOT || !/^[a-z0-9][a-z0-9-]{0,47}$/.test(site)) return undefined;
  if (folder === 'contents') {
    const upload = uploadOfName(`${CONTENT_PREFIX}${rest.join('/')}`);
    return upload && { kind: 'content', site, ...upload };
  }
  for (const [kind, pattern] of PATTERNS) {
    const groups = pattern.exec([folder, 'SITE', ...rest].join('/'))?.groups;
    if (groups === undefined) continue;
    const { ms, number, ...others } = groups;
    return {
      kind,
      site,
      ...others,
      ...(ms !== undefined && { ms: Number(ms) }),
      ...(number !== undefined && { number: Number(number) }),
    } as ArchiveName;
  }
  return undefined;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
