/**
 * Leases of a blob: a lock on its writes and its deletion.
 * @see https://learn.microsoft.com/rest/api/storageservices/lease-blob
 */
import { randomUUID } from 'node:crypto';
import { type Call, header, httpDate, neededHeader } from './call.ts';
import { checkConditions } from './conditions.ts';
import { badHeader, BlobError } from './errors.ts';
import { find } from './find.ts';
import type { Lease } from './model.ts';
import { isLeased } from './protection.ts';
import type { Reply, Work } from './work.ts';

const SECONDS = { min: 15, max: 60 };
const BREAK_SECONDS_MAX = 60;
/** A number that JSON can hold. */
const FOREVER_MS = Number.MAX_SAFE_INTEGER;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Step {
  readonly status: number;
  readonly lease: Lease | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export function leaseBlob(work: Work): Reply {
  const { call, store } = work;
  const { blob, version } = find(work);
  checkConditions(call, version, 'write');
  const action = neededHeader(call, 'x-ms-lease-action');
  const take = ACTIONS[action];
  if (take === undefined) throw badHeader('x-ms-lease-action', action);
  const { status, lease, headers } = take(call, blob.lease, store.now());
  store.commit([{ container: call.container, blob: blob.name, do: 'lease', lease }]);
  const about = { etag: version.etag, 'last-modified': httpDate(version.modifiedMs) };
  return { status, headers: { ...about, ...headers } };
}

type Action = (call: Call, lease: Lease | undefined, nowMs: number) => Step;

const ACTIONS: Readonly<Record<string, Action>> = {
  acquire(call, lease, nowMs) {
    const proposed = guid(call, 'x-ms-proposed-lease-id');
    if (isLeased(lease, nowMs) && (lease.brokenMs !== undefined || lease.id !== proposed))
      throw new BlobError('LeaseAlreadyPresent');
    return granted(201, { id: proposed ?? randomUUID(), seconds: secondsIn(call) }, nowMs);
  },
  renew(call, lease, nowMs) {
    const own = owned(call, lease);
    if (own.brokenMs !== undefined) throw new BlobError('LeaseIsBrokenAndCannotBeRenewed');
    return granted(200, own, nowMs);
  },
  change(call, lease, nowMs) {
    const own = owned(call, lease);
    if (!isLeased(own, nowMs)) throw new BlobError('LeaseNotPresentWithLeaseOperation');
    const id = guid(call, 'x-ms-proposed-lease-id');
    if (id === undefined) throw badHeader('x-ms-proposed-lease-id', undefined);
    return { status: 200, lease: { ...own, id }, headers: { 'x-ms-lease-id': id } };
  },
  release(call, lease) {
    owned(call, lease);
    return { status: 200, lease: undefined };
  },
  break(call, lease, nowMs) {
    if (lease === undefined) throw new BlobError('LeaseNotPresentWithLeaseOperation');
    const period = seconds(call, 'x-ms-lease-break-period', { min: 0, max: BREAK_SECONDS_MAX });
    const leftMs = lease.seconds === -1 ? 0 : Math.max(0, lease.untilMs - nowMs);
    const waitMs = period === undefined ? leftMs : Math.min(period * 1_000, leftMs || period * 1_000);
    const brokenMs = Math.min(lease.brokenMs ?? Infinity, nowMs + waitMs);
    const left = Math.max(0, Math.ceil((brokenMs - nowMs) / 1_000));
    return { status: 202, lease: { ...lease, brokenMs }, headers: { 'x-ms-lease-time': String(left) } };
  },
};

function granted(status: number, { id, seconds: time }: Pick<Lease, 'id' | 'seconds'>, nowMs: number): Step {
  const untilMs = time === -1 ? FOREVER_MS : nowMs + time * 1_000;
  return { status, lease: { id, seconds: time, untilMs }, headers: { 'x-ms-lease-id': id } };
}

/** @throws BlobError when it is somebody else's, or nobody's. */
function owned(call: Call, lease: Lease | undefined): Lease {
  const id = guid(call, 'x-ms-lease-id');
  if (id === undefined) throw badHeader('x-ms-lease-id', undefined);
  if (lease === undefined) throw new BlobError('LeaseNotPresentWithLeaseOperation');
  if (lease.id !== id) throw new BlobError('LeaseIdMismatchWithLeaseOperation');
  return lease;
}

function guid(call: Call, name: string): string | undefined {
  const value = header(call, name)?.toLowerCase();
  if (value !== undefined && !GUID.test(value)) throw badHeader(name, value);
  return value;
}

function secondsIn(call: Call): number {
  if (header(call, 'x-ms-lease-duration') === '-1') return -1;
  const time = seconds(call, 'x-ms-lease-duration', SECONDS);
  if (time === undefined) throw badHeader('x-ms-lease-duration', undefined);
  return time;
}

function seconds(
  call: Call,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const value = header(call, name);
  if (value === undefined) return undefined;
  const time = Number(value);
  if (!Number.isInteger(time) || time < min || time > max) throw badHeader(name, value);
  return time;
}
