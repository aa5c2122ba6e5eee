/** The state of a blob that a request is about: the current one, or the one whose version id it names. */
import type { Call } from './call.ts';
import { badQuery, BlobError } from './errors.ts';
import type { Blob, BlobVersion } from './model.ts';
import type { Store } from './store.ts';

const VERSION_ID = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/;

export interface Found {
  readonly blob: Blob;
  readonly version: BlobVersion;
  readonly isCurrent: boolean;
}

/** @throws BlobError when it is not there, or deleted. */
export function find({ call, store }: { readonly call: Call; readonly store: Store }): Found {
  const { container, blob: name, query } = call;
  if (query.has('snapshot')) throw badQuery('snapshot', query.get('snapshot') ?? '', 'Not emulated.');
  const blob = store.blob(container, name);
  const wanted = query.get('versionid');
  if (wanted !== null && !VERSION_ID.test(wanted)) throw badQuery('versionid', wanted, 'Not a version ID.');
  const isCurrent = wanted === null || blob?.current?.id === wanted;
  const version = isCurrent ? blob?.current : blob?.previous.find(({ id }) => id === wanted);
  if (blob === undefined || version === undefined || version.deletedMs !== undefined)
    throw new BlobError('BlobNotFound');
  return { blob, version, isCurrent };
}
