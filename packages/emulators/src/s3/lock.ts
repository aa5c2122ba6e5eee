/**
 * Object Lock: who may remove a version, and what may be changed of its retention.
 *
 * Invariant: a version in compliance mode, or with a legal hold, outlives every request until its time is over or the hold
 * is off; one in governance mode only yields to a request that says so.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
 */
import type { Element } from '../core/xml.ts';
import { S3Error } from './errors.ts';
import type { ObjectVersion, Retention } from './model.ts';
import { childOf, textIn } from './xml.ts';

/** Of a bucket whose objects can be locked. */
export interface LockRule {
  /** For objects that come without one. */
  readonly standard?: { readonly mode: Retention['mode']; readonly days: number } | undefined;
}

const DAY_MS = 86_400_000;
const DAYS_A_YEAR = 365;

/** @param root ObjectLockConfiguration that was validated. */
export function lockRuleIn(root: Element): LockRule {
  const retention = childOf(childOf(root, 'Rule'), 'DefaultRetention');
  if (retention === undefined) return {};
  const years = textIn(retention, 'Years');
  const days = years === undefined ? Number(textIn(retention, 'Days')) : Number(years) * DAYS_A_YEAR;
  return { standard: { mode: textIn(retention, 'Mode') as Retention['mode'], days } };
}

/** The retention of a new object that names none. */
export function standardRetention(rule: LockRule | undefined, now: number): Retention | undefined {
  const standard = rule?.standard;
  return standard === undefined ? undefined : { mode: standard.mode, until: now + standard.days * DAY_MS };
}

/** @throws S3Error when it is malformed or in the past. */
export function retentionOf(mode: string, until: string, now: number): Retention {
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE')
    throw new S3Error('InvalidArgument', 'Unknown wormMode directive.');
  const at = Date.parse(until);
  if (!/^\d{4}-\d\d-\d\dT/.test(until) || Number.isNaN(at))
    throw new S3Error('InvalidArgument', 'The retain until date must be provided in ISO 8601 format');
  if (at <= now) throw new S3Error('InvalidArgument', 'The retain until date must be in the future!');
  return { mode, until: at };
}

export interface LockContext {
  readonly now: number;
  readonly mayBypass: boolean;
}

/** @throws S3Error when the version is protected. */
export function checkRemovable(version: ObjectVersion, { now, mayBypass }: LockContext): void {
  const { retention, isHeld } = version;
  const isRetained = retention !== undefined && retention.until > now;
  if (isHeld === true || (isRetained && !(retention.mode === 'GOVERNANCE' && mayBypass)))
    throw new S3Error('AccessDenied', 'Access Denied because object protected by object lock.');
}

/** @throws S3Error when a retention would be weakened that may not be. */
export function checkRetentionChange(
  before: Retention | undefined,
  after: Retention | undefined,
  { now, mayBypass }: LockContext,
): void {
  if (before === undefined || before.until <= now) return;
  const isStronger =
    after !== undefined &&
    after.until >= before.until &&
    (after.mode === before.mode || after.mode === 'COMPLIANCE');
  if (isStronger || (before.mode === 'GOVERNANCE' && mayBypass)) return;
  throw new S3Error('AccessDenied', 'Access Denied because object protected by object lock.');
}
