/**
 * The last step of every write of content: all conditions are looked at, and the new state is committed, within one turn of
 * the event loop; so of two writers that must not overwrite each other one is refused.
 */
import type { Content } from '../core/object-files.ts';
import { type Call, dateHeader, flagHeader, header } from './call.ts';
import type { Change } from './changes.ts';
import { checkConditions } from './conditions.ts';
import { badHeader, BlobError } from './errors.ts';
import { blobEvent } from './events.ts';
import {
  type BlobHeaders,
  type BlobVersion,
  type Block,
  type Copied,
  type Immutability,
  type Tier,
  TIERS,
} from './model.ts';
import { checkDeletable, checkLease } from './protection.ts';
import { tagsInHeader } from './tags.ts';
import type { Work } from './work.ts';

export const DEFAULT_TYPE = 'application/octet-stream';

/** What is written, apart from what the request's headers say of it. */
export interface Draft {
  readonly content: Content;
  readonly bytes: number;
  readonly blocks?: readonly Block[];
  readonly headers: BlobHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly copied?: Omit<Copied, 'completedMs'>;
  /** As events name the operation. */
  readonly api: 'PutBlob' | 'PutBlockList' | 'CopyBlob';
}

/** @throws BlobError */
export function publish({ call, rights, store, hasSubscriber }: Work, draft: Draft): BlobVersion {
  const { container, blob: name } = call;
  const blob = store.blob(container, name);
  const nowMs = store.now();
  checkLease(call, blob, nowMs);
  checkConditions(call, blob?.current, 'write');
  if (blob?.current !== undefined) {
    if (!rights.mayOverwrite) throw new BlobError('UnauthorizedBlobOverwrite');
    // With versions it is kept, and stays protected.
    if (!store.versioning) checkDeletable(blob.current, nowMs);
  }
  const protection = protectionIn(call, store.container(container).state.versionImmutability, nowMs);
  const { id, etag, atMs } = store.newId();
  const { content, bytes, blocks = [], headers, metadata, copied, api } = draft;
  const version: BlobVersion = {
    id,
    etag,
    createdMs: atMs,
    modifiedMs: atMs,
    content,
    bytes,
    blocks,
    headers,
    metadata,
    tags: tagsInHeader(header(call, 'x-ms-tags')),
    tier: tierIn(call),
    copied: copied && { ...copied, completedMs: atMs },
    ...protection,
  };
  const of = { container, blob: name };
  const changes: Change[] = [{ ...of, do: 'current', version, keep: store.versioning }];
  if (blob !== undefined && blob.staged.size > 0) changes.push({ ...of, do: 'unstage' });
  if (hasSubscriber) {
    const event = blobEvent('Microsoft.Storage.BlobCreated', { call, api, version, atMs });
    changes.push({ do: 'event', event });
  }
  store.commit(changes);
  return version;
}

/** What `x-ms-blob-…` says, and of a whole body also its own headers. */
export function headersIn(call: Call, md5: string | undefined, ofBody = false): BlobHeaders {
  const get = (name: string): string | undefined =>
    header(call, `x-ms-blob-${name}`) ?? (ofBody ? header(call, name) : undefined);
  return {
    contentType: get('content-type') ?? DEFAULT_TYPE,
    contentEncoding: get('content-encoding'),
    contentLanguage: get('content-language'),
    contentDisposition: header(call, 'x-ms-blob-content-disposition'),
    cacheControl: get('cache-control'),
    contentMd5: md5,
  };
}

/** @throws BlobError for one that there is not. */
export function tierIn(call: Call): Tier | undefined {
  const given = header(call, 'x-ms-access-tier');
  const tier = TIERS.find((one) => one === given);
  if (given !== undefined && tier === undefined) throw badHeader('x-ms-access-tier', given);
  return tier;
}

/** @throws BlobError where the container does not allow it. */
function protectionIn(
  call: Call,
  isAllowed: boolean,
  nowMs: number,
): { readonly immutability: Immutability | undefined; readonly legalHold: boolean } {
  const immutability = immutabilityIn(call, nowMs);
  const legalHold = flagHeader(call, 'x-ms-legal-hold');
  if ((immutability !== undefined || legalHold) && !isAllowed) throw notEnabled();
  return { immutability, legalHold };
}

export function notEnabled(): BlobError {
  return new BlobError('UnsupportedHeader', {
    Reason: 'Version-level immutability is not enabled for the container.',
  });
}

/** @throws BlobError for a date that is over, and for a mode that there is not. */
export function immutabilityIn(call: Call, nowMs: number): Immutability | undefined {
  const untilMs = dateHeader(call, 'x-ms-immutability-policy-until-date');
  const mode = header(call, 'x-ms-immutability-policy-mode')?.toLowerCase() ?? 'unlocked';
  if (untilMs === undefined) return undefined;
  if (untilMs <= nowMs)
    throw badHeader('x-ms-immutability-policy-until-date', new Date(untilMs).toUTCString());
  if (mode !== 'unlocked' && mode !== 'locked') throw badHeader('x-ms-immutability-policy-mode', mode);
  return { untilMs, mode: mode === 'locked' ? 'Locked' : 'Unlocked' };
}
