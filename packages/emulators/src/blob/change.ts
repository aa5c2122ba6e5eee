/**
 * What changes a state of a blob without new content: metadata, properties, tags, tier, policies, holds, deletion.
 * @see https://learn.microsoft.com/rest/api/storageservices/operations-on-blobs
 */
import { flagHeader, header, httpDate, neededHeader } from './call.ts';
import type { Change } from './changes.ts';
import { checkConditions } from './conditions.ts';
import { badHeader, badQuery, BlobError } from './errors.ts';
import { blobEvent } from './events.ts';
import { find, type Found } from './find.ts';
import { metadataIn } from './metadata.ts';
import type { BlobVersion } from './model.ts';
import { checkDeletable, checkLease, checkWritableMetadata } from './protection.ts';
import { headersIn, immutabilityIn, notEnabled, tierIn } from './publish.ts';
import { writtenHeaders } from './put.ts';
import { xmlTextIn } from './receive.ts';
import { tagsInXml } from './tags.ts';
import type { Reply, Work } from './work.ts';

/** The current state, which may be changed. @throws BlobError */
function findWritable(work: Work): Found {
  const { call, store } = work;
  if (call.query.has('versionid'))
    throw badQuery('versionid', call.query.get('versionid') ?? '', 'A version cannot be changed.');
  const found = find(work);
  checkLease(call, found.blob, store.now());
  checkConditions(call, found.version, 'write');
  return found;
}

function amend({ call, store }: Work, version: BlobVersion): void {
  store.commit([{ container: call.container, blob: call.blob, do: 'amend', version }]);
}

/** A new version, with the same content. */
export function setMetadata(work: Work): Reply {
  const { call, store } = work;
  const metadata = metadataIn(call);
  const { version: before } = findWritable(work);
  checkWritableMetadata(before);
  const { id, etag, atMs } = store.newId();
  const version = { ...before, id, etag, modifiedMs: atMs, metadata };
  const { container, blob } = call;
  store.commit([{ container, blob, do: 'current', version, keep: store.versioning }]);
  return { status: 200, headers: writtenHeaders(work, version) };
}

/** What is not given is cleared. No version is made. */
export function setProperties(work: Work): Reply {
  const { call, store } = work;
  const { version: before } = findWritable(work);
  const { etag, atMs } = store.newId();
  const headers = headersIn(call, header(call, 'x-ms-blob-content-md5'));
  const version = { ...before, etag, modifiedMs: atMs, headers };
  amend(work, version);
  return { status: 200, headers: { etag, 'last-modified': httpDate(atMs) } };
}

/** Neither the ETag nor the time of the last change is another then. */
export async function setTags(work: Work): Promise<Reply> {
  const { call } = work;
  const tags = tagsInXml(await xmlTextIn(call));
  const { version } = find(work);
  checkConditions(call, version, 'write');
  amend(work, { ...version, tags });
  return { status: 204 };
}

export function setTier(work: Work): Reply {
  const { call, store } = work;
  neededHeader(call, 'x-ms-access-tier');
  const tier = tierIn(call);
  const { version } = find(work);
  checkConditions(call, version, 'write');
  // Rehydration takes hours there; here it has no place.
  if (version.tier === 'Archive' && tier !== 'Archive') throw badHeader('x-ms-access-tier', tier);
  amend(work, { ...version, tier, tierChangedMs: store.now() });
  return { status: 200 };
}

export function setImmutabilityPolicy(work: Work): Reply {
  const { call, store } = work;
  const { version } = findProtectable(work);
  const immutability = immutabilityIn(call, store.now());
  if (immutability === undefined) throw badHeader('x-ms-immutability-policy-until-date', undefined);
  const { immutability: before } = version;
  const isWeaker =
    before?.mode === 'Locked' && (immutability.untilMs < before.untilMs || immutability.mode !== 'Locked');
  if (isWeaker) throw new BlobError('BlobImmutableDueToPolicy');
  amend(work, { ...version, immutability });
  const headers = {
    'x-ms-immutability-policy-until-date': httpDate(immutability.untilMs),
    'x-ms-immutability-policy-mode': immutability.mode.toLowerCase(),
  };
  return { status: 200, headers };
}

export function deleteImmutabilityPolicy(work: Work): Reply {
  const { version } = findProtectable(work);
  if (version.immutability?.mode === 'Locked') throw new BlobError('BlobImmutableDueToPolicy');
  amend(work, { ...version, immutability: undefined });
  return { status: 200 };
}

export function setLegalHold(work: Work): Reply {
  neededHeader(work.call, 'x-ms-legal-hold');
  const legalHold = flagHeader(work.call, 'x-ms-legal-hold');
  const { version } = findProtectable(work);
  amend(work, { ...version, legalHold });
  return { status: 200, headers: { 'x-ms-legal-hold': String(legalHold) } };
}

function findProtectable(work: Work): Found {
  const { call, store } = work;
  if (!store.container(call.container).state.versionImmutability) throw notEnabled();
  return find(work);
}

/**
 * The blob: with versions its state becomes a previous one; without, it can be recovered as long as the account says. Or a
 * previous version, by its id.
 */
export function deleteBlob(work: Work): Reply {
  const { call, store } = work;
  const { container, blob: name, query } = call;
  if (query.has('deletetype')) throw badQuery('deletetype', query.get('deletetype') ?? '', 'Not emulated.');
  const found = find(work);
  const { version, isCurrent } = found;
  if (query.has('versionid') && isCurrent) throw new BlobError('OperationNotAllowedOnRootBlob');
  if (isCurrent) checkLease(call, found.blob, store.now());
  checkConditions(call, version, 'write');
  checkDeletable(version, store.now());
  const of = { container, blob: name };
  const changes: Change[] = isCurrent
    ? [...removalOfCurrent(work, version), ...deletionEvent(work, version)]
    : [removal(work, version)];
  if (isCurrent && found.blob.lease !== undefined) changes.unshift({ ...of, do: 'lease', lease: undefined });
  store.commit(changes);
  const isKept = isCurrent && store.versioning ? undefined : store.service.deleteRetentionDays !== undefined;
  return {
    status: 202,
    headers: { 'x-ms-delete-type-permanent': isKept === undefined ? undefined : String(!isKept) },
  };
}

function removalOfCurrent({ call, store }: Work, version: BlobVersion): Change[] {
  const of = { container: call.container, blob: call.blob };
  if (store.versioning) return [{ ...of, do: 'demote' }];
  if (store.service.deleteRetentionDays === undefined) return [{ ...of, do: 'drop', id: version.id }];
  const deleted = { ...version, deletedMs: store.now() };
  return [
    { ...of, do: 'amend', version: deleted },
    { ...of, do: 'demote' },
  ];
}

function removal({ call, store }: Work, version: BlobVersion): Change {
  const of = { container: call.container, blob: call.blob };
  if (store.service.deleteRetentionDays === undefined) return { ...of, do: 'drop', id: version.id };
  return { ...of, do: 'amend', version: { ...version, deletedMs: store.now() } };
}

function deletionEvent({ call, store, hasSubscriber }: Work, version: BlobVersion): Change[] {
  if (!hasSubscriber) return [];
  const about = { call, api: 'DeleteBlob', version, atMs: store.now() };
  return [{ do: 'event', event: blobEvent('Microsoft.Storage.BlobDeleted', about) }];
}

/** All deleted states of the blob; with versions none of them becomes the current one. */
export function undelete(work: Work): Reply {
  const { call, store } = work;
  const { container, blob: name } = call;
  const blob = store.blob(container, name);
  if (blob === undefined || (blob.current === undefined && blob.previous.length === 0))
    throw new BlobError('BlobNotFound');
  const of = { container, blob: name };
  const deleted = blob.previous.filter(({ deletedMs }) => deletedMs !== undefined);
  const changes: Change[] = deleted.map((version) => ({
    ...of,
    do: 'amend',
    version: { ...version, deletedMs: undefined },
  }));
  const last = deleted.at(-1);
  if (!store.versioning && blob.current === undefined && last !== undefined)
    changes.push({ ...of, do: 'promote', id: last.id });
  if (changes.length > 0) store.commit(changes);
  return { status: 200 };
}
