/** Tags, retention and legal hold of an object that is there. */
import { malformedXml } from './body.ts';
import type { Bucket } from './bucket.ts';
import { type Call, type Reply, versionHeader } from './call.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import { checkRetentionChange, retentionOf } from './lock.ts';
import type { ObjectVersion } from './model.ts';
import { versionFor } from './objects.ts';
import { tagsIn } from './settings.ts';
import { document, textIn } from './xml.ts';

function subject(call: Call): { readonly bucket: Bucket; readonly version: ObjectVersion } {
  const bucket = call.bucket();
  return { bucket, version: versionFor(bucket, call.key, call.request.query.get('versionId')) };
}

export async function putTags(call: Call): Promise<Reply> {
  subject(call);
  const tags = tagsIn(await call.xml('Tagging'), LIMITS.tagsMax);
  return changed(call, { tags });
}

export function getTags(call: Call): Reply {
  const { bucket, version } = subject(call);
  const tags = Object.entries(version.tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    status: 200,
    headers: versionHeader(bucket, version.versionId),
    text: document('Tagging', { TagSet: { Tag: tags } }),
  };
}

export function deleteTags(call: Call): Reply {
  return { ...changed(call, { tags: {} }), status: 204 };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html */
export async function putRetention(call: Call): Promise<Reply> {
  needLock(subject(call).bucket);
  const root = await call.xml('Retention', { isDigestNeeded: true });
  const [mode, until] = [textIn(root, 'Mode'), textIn(root, 'RetainUntilDate')];
  if ((mode === undefined) !== (until === undefined)) throw malformedXml();
  const retention = mode === undefined ? undefined : retentionOf(mode, until ?? '', call.now);
  checkRetentionChange(subject(call).version.retention, retention, call.lockContext);
  return changed(call, { retention });
}

export function getRetention(call: Call): Reply {
  const { bucket, version } = subject(call);
  needLock(bucket);
  const { retention } = version;
  if (retention === undefined) throw noLock();
  const value = { Mode: retention.mode, RetainUntilDate: new Date(retention.until).toISOString() };
  return { status: 200, text: document('Retention', value) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html */
export async function putHold(call: Call): Promise<Reply> {
  needLock(subject(call).bucket);
  const status = textIn(await call.xml('LegalHold', { isDigestNeeded: true }), 'Status');
  if (status !== 'ON' && status !== 'OFF') throw malformedXml();
  return changed(call, { isHeld: status === 'ON' });
}

export function getHold(call: Call): Reply {
  const { bucket, version } = subject(call);
  needLock(bucket);
  if (version.isHeld === undefined) throw noLock();
  return { status: 200, text: document('LegalHold', { Status: version.isHeld ? 'ON' : 'OFF' }) };
}

function changed(call: Call, change: Partial<Pick<ObjectVersion, 'tags' | 'retention' | 'isHeld'>>): Reply {
  const { bucket, version } = subject(call);
  call.store.change(bucket, call.key, version, change);
  return { status: 200, headers: versionHeader(bucket, version.versionId) };
}

function needLock({ lockRule }: Bucket): void {
  if (lockRule === undefined)
    throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
}

function noLock(): S3Error {
  return new S3Error(
    'NoSuchObjectLockConfiguration',
    'The specified object does not have a ObjectLock configuration',
  );
}
