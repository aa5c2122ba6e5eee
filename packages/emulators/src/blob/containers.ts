/**
 * Containers: created, described, listed, deleted.
 * @see https://learn.microsoft.com/rest/api/storageservices/operations-on-containers
 */
import { dateHeader, httpDate } from './call.ts';
import { BlobError } from './errors.ts';
import { pageSize } from './list-blobs.ts';
import { metadataHeaders, metadataIn } from './metadata.ts';
import type { ContainerState } from './model.ts';
import type { Store } from './store.ts';
import type { Reply, Work } from './work.ts';
import { DECLARATION, element, nameElement } from './xml.ts';

const writtenHeaders = ({ etag, modifiedMs }: ContainerState): Record<string, string> => ({
  etag,
  'last-modified': httpDate(modifiedMs),
});

/** @param versionImmutability Of the account's management plane: whether versions in it may be protected. */
export function createContainer({ call, store }: Work, versionImmutability: boolean): Reply {
  const { container } = call;
  if (store.containers.has(container)) throw new BlobError('ContainerAlreadyExists');
  const state = addContainer(store, container, { metadata: metadataIn(call), versionImmutability });
  return { status: 201, headers: writtenHeaders(state) };
}

/** One that is not there. */
export function addContainer(
  store: Store,
  container: string,
  {
    metadata = {},
    versionImmutability,
  }: Partial<Pick<ContainerState, 'metadata'>> & Pick<ContainerState, 'versionImmutability'>,
): ContainerState {
  const { etag, atMs } = store.newId();
  const state = { etag, modifiedMs: atMs, metadata, versionImmutability };
  store.commit([{ do: 'container', container, state }]);
  return state;
}

export function getContainer({ call, store }: Work): Reply {
  const { state } = store.container(call.container);
  const headers = {
    ...metadataHeaders(state.metadata),
    ...writtenHeaders(state),
    'x-ms-lease-status': 'unlocked',
    'x-ms-lease-state': 'available',
    'x-ms-has-immutability-policy': 'false',
    'x-ms-has-legal-hold': 'false',
    'x-ms-immutable-storage-with-versioning-enabled': String(state.versionImmutability),
  };
  return { status: 200, headers };
}

export function setContainerMetadata({ call, store }: Work): Reply {
  const { container } = call;
  const { state: before } = store.container(container);
  const { etag, atMs } = store.newId();
  const state = { ...before, etag, modifiedMs: atMs, metadata: metadataIn(call) };
  store.commit([{ do: 'container', container, state }]);
  return { status: 200, headers: writtenHeaders(state) };
}

export function deleteContainer({ call, store }: Work): Reply {
  const { container } = call;
  const { state, blobs } = store.container(container);
  const since = dateHeader(call, 'if-modified-since');
  const unmodified = dateHeader(call, 'if-unmodified-since');
  const seconds = Math.floor(state.modifiedMs / 1_000) * 1_000;
  if ((since !== undefined && seconds <= since) || (unmodified !== undefined && seconds > unmodified))
    throw new BlobError('ConditionNotMet');
  if (state.versionImmutability && blobs.size > 0)
    throw new BlobError('ContainerImmutableStorageWithVersioningEnabled');
  store.commit([{ do: 'no-container', container }]);
  return { status: 202 };
}

/** The marker is the name that comes next. */
export function listContainers({ call, store }: Work): Reply {
  const { query, base } = call;
  const prefix = query.get('prefix') ?? '';
  const marker = query.get('marker') ?? '';
  const max = pageSize(query);
  const hasMetadata = (query.get('include') ?? '').split(',').includes('metadata');
  const names = [...store.containers.keys()]
    .sort()
    .filter((name) => name.startsWith(prefix) && name >= marker);
  const listed = names.slice(0, max).map((name) => {
    const { etag, modifiedMs, metadata, versionImmutability } = store.container(name).state;
    return element('Container', {}, [
      nameElement(name),
      element('Properties', {}, [
        element('Last-Modified', httpDate(modifiedMs)),
        element('Etag', etag),
        element('LeaseStatus', 'unlocked'),
        element('LeaseState', 'available'),
        element('HasImmutabilityPolicy', false),
        element('HasLegalHold', false),
        element('ImmutableStorageWithVersioningEnabled', versionImmutability),
      ]),
      hasMetadata
        ? element(
            'Metadata',
            {},
            Object.entries(metadata).map(([key, value]) => element(key, value)),
          )
        : '',
    ]);
  });
  const body = element('EnumerationResults', { ServiceEndpoint: `${base}/` }, [
    element('Prefix', prefix),
    element('Marker', marker),
    element('MaxResults', max),
    element('Containers', {}, listed),
    element('NextMarker', names[max] ?? ''),
  ]);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: DECLARATION + body };
}
