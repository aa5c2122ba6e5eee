/**
 * Settings of a bucket: validated as S3 does, kept as they came, and given back.
 *
 * Invariant: what S3 would refuse is refused here, so a template or a tool that works here does not fail there for its form.
 * Only versioning, notifications and the lock have an effect.
 */
import type { Element } from '../core/xml.ts';
import { checkedTags } from './attributes.ts';
import { malformedXml, xmlOf } from './body.ts';
import type { Bucket } from './bucket.ts';
import type { Call, Reply } from './call.ts';
import { S3Error, type S3ErrorCode } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Setting } from './model.ts';
import { EVENTS, queueRulesIn, testEvent } from './notification-rules.ts';
import { childOf, childrenOf, document, textIn } from './xml.ts';

interface Kind {
  readonly root: string;
  /** Of a GET when there is none; otherwise an empty document is the answer. */
  readonly absent?: readonly [S3ErrorCode, string];
  readonly isDigestNeeded?: boolean;
  readonly validate: (root: Element, bucket: Bucket, call: Call) => void | Promise<void>;
  readonly deleted?: boolean;
}

type XmlSetting = Exclude<Setting, 'policy' | 'intelligent-tiering'>;

const KINDS: Readonly<Record<XmlSetting, Kind>> = {
  versioning: { root: 'VersioningConfiguration', validate: validateVersioning },
  lifecycle: {
    root: 'LifecycleConfiguration',
    absent: ['NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
    isDigestNeeded: true,
    deleted: true,
    validate: validateLifecycle,
  },
  publicAccessBlock: {
    root: 'PublicAccessBlockConfiguration',
    absent: ['NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found'],
    deleted: true,
    validate: (root) => {
      const names = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'];
      checkChildren(root, names);
      for (const { text } of root.children) if (!/^(true|false)$/i.test(text.trim())) throw malformedXml();
    },
  },
  encryption: {
    root: 'ServerSideEncryptionConfiguration',
    deleted: true,
    validate: (root) => {
      const rules = childrenOf(root, 'Rule');
      if (rules.length !== 1) throw malformedXml();
      const standard = childOf(rules[0], 'ApplyServerSideEncryptionByDefault');
      const algorithm = textIn(standard, 'SSEAlgorithm') ?? '';
      if (!['AES256', 'aws:kms', 'aws:kms:dsse'].includes(algorithm)) throw malformedXml();
      if (algorithm !== 'AES256')
        throw new S3Error('NotImplemented', 'Only encryption with keys of S3 (AES256) is served here');
    },
  },
  cors: {
    root: 'CORSConfiguration',
    absent: ['NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
    deleted: true,
    validate: validateCors,
  },
  notification: { root: 'NotificationConfiguration', validate: validateNotification },
  'object-lock': {
    root: 'ObjectLockConfiguration',
    absent: [
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    ],
    validate: validateLock,
  },
  ownershipControls: {
    root: 'OwnershipControls',
    absent: ['OwnershipControlsNotFoundError', 'The bucket ownership controls were not found'],
    deleted: true,
    validate: (root) => {
      const ownership = textIn(childOf(root, 'Rule'), 'ObjectOwnership') ?? '';
      if (!['BucketOwnerPreferred', 'ObjectWriter', 'BucketOwnerEnforced'].includes(ownership))
        throw malformedXml();
    },
  },
  tagging: {
    root: 'Tagging',
    absent: ['NoSuchTagSet', 'The TagSet does not exist'],
    deleted: true,
    validate: (root) => void tagsIn(root, LIMITS.bucketTagsMax),
  },
};

const ENCRYPTED = document('ServerSideEncryptionConfiguration', {
  Rule: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false },
});

export async function putSetting(call: Call, name: Setting): Promise<Reply> {
  const bucket = call.bucket();
  if (name === 'policy') return await putPolicy(call, bucket);
  if (name === 'intelligent-tiering') return await putTiering(call, bucket);
  const kind = KINDS[name];
  const bytes = await call.text({ isDigestNeeded: kind.isDigestNeeded === true });
  await kind.validate(xmlOf(bytes, kind.root), bucket, call);
  call.store.set(call.bucket(), name, bytes.toString('utf8'));
  return { status: 200 };
}

export function getSetting(call: Call, name: Setting): Reply {
  const bucket = call.bucket();
  const text = bucket.settings.get(name);
  if (name === 'policy') {
    if (text === undefined) throw new S3Error('NoSuchBucketPolicy', 'The bucket policy does not exist');
    return { status: 200, headers: { 'content-type': 'application/json' }, text };
  }
  if (name === 'intelligent-tiering') {
    if (text === undefined)
      throw new S3Error('NoSuchConfiguration', 'The specified configuration does not exist.');
    return { status: 200, text };
  }
  if (text !== undefined) return { status: 200, text };
  const { absent, root } = KINDS[name];
  // Every bucket is encrypted with keys of S3 from its start.
  if (name === 'encryption') return { status: 200, text: ENCRYPTED };
  if (absent !== undefined) throw new S3Error(...absent);
  return { status: 200, text: document(root, {}) };
}

export function deleteSetting(call: Call, name: Setting): Reply {
  const bucket = call.bucket();
  const isDeletable = name === 'policy' || name === 'intelligent-tiering' || KINDS[name].deleted === true;
  if (!isDeletable)
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.');
  if (bucket.settings.has(name)) call.store.set(bucket, name, undefined);
  return { status: 204 };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html (TLS only) */
async function putPolicy(call: Call, bucket: Bucket): Promise<Reply> {
  const text = (await call.text()).toString('utf8');
  const malformed = (why: string): S3Error => new S3Error('MalformedPolicy', why);
  if (Buffer.byteLength(text) > LIMITS.policyBytesMax) throw malformed('Policies must be 20 KB or less');
  let policy: { readonly Statement?: unknown };
  try {
    policy = JSON.parse(text) as typeof policy;
  } catch {
    throw malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const statements = [policy.Statement].flat() as (Record<string, unknown> | undefined)[];
  if (statements.length === 0) throw malformed('Missing required field Statement');
  for (const statement of statements) {
    for (const field of ['Effect', 'Principal', 'Action', 'Resource'])
      if (statement?.[field] === undefined && statement?.[`Not${field}`] === undefined)
        throw malformed(`Missing required field ${field}`);
    const resources = [statement?.['Resource'] ?? statement?.['NotResource']].flat();
    const arn = `arn:aws:s3:::${bucket.name}`;
    if (!resources.every((one) => one === arn || String(one).startsWith(`${arn}/`)))
      throw malformed('Policy has invalid resource');
  }
  call.store.set(bucket, 'policy', text);
  return { status: 204 };
}

/** One configuration a bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketIntelligentTieringConfiguration.html */
async function putTiering(call: Call, bucket: Bucket): Promise<Reply> {
  const bytes = await call.text();
  const root = xmlOf(bytes, 'IntelligentTieringConfiguration');
  const tierings = childrenOf(root, 'Tiering');
  if (textIn(root, 'Id') !== call.request.query.get('id') || tierings.length === 0) throw malformedXml();
  for (const tiering of tierings) {
    const [days, tier] = [Number(textIn(tiering, 'Days')), textIn(tiering, 'AccessTier')];
    const daysMin = { ARCHIVE_ACCESS: 90, DEEP_ARCHIVE_ACCESS: 180 }[tier ?? ''];
    if (daysMin === undefined) throw malformedXml();
    if (!(days >= daysMin && days <= 730))
      throw new S3Error('InvalidArgument', `'Days' for ${tier ?? ''} must be from ${daysMin} to 730`);
  }
  call.store.set(bucket, 'intelligent-tiering', bytes.toString('utf8'));
  return { status: 200 };
}

function checkChildren(element: Element, names: readonly string[]): void {
  if (element.children.some(({ name }) => !names.includes(name))) throw malformedXml();
}

function validateVersioning(root: Element, bucket: Bucket): void {
  const status = textIn(root, 'Status');
  if (textIn(root, 'MfaDelete') === 'Enabled')
    throw new S3Error('NotImplemented', 'Deletion with a second factor is not served here');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  if (status === 'Suspended' && bucket.lockRule !== undefined)
    throw new S3Error(
      'InvalidBucketState',
      'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
    );
}

/** @throws S3Error */
export function tagsIn(root: Element, tagsMax: number): Record<string, string> {
  const set = childOf(root, 'TagSet');
  if (set === undefined) throw malformedXml();
  const tags = childrenOf(set, 'Tag').map((tag): [string, string] => {
    const [key, value] = ['Key', 'Value'].map((name) => childOf(tag, name)?.text);
    if (key === undefined || value === undefined) throw malformedXml();
    return [key, value];
  });
  return checkedTags(tags, tagsMax);
}

const ACTIONS = [
  'AbortIncompleteMultipartUpload',
  'Expiration',
  'NoncurrentVersionExpiration',
  'NoncurrentVersionTransition',
  'Transition',
];
const TIERS = ['STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER', 'GLACIER_IR', 'DEEP_ARCHIVE'];
/** Storage classes for what is seldom read take objects of this age at the earliest. */
const INFREQUENT_DAYS_MIN = 30;

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
function validateLifecycle(root: Element): void {
  const rules = childrenOf(root, 'Rule');
  if (rules.length === 0 || rules.length > LIMITS.lifecycleRulesMax) throw malformedXml();
  const ids = rules.map((rule) => textIn(rule, 'ID') ?? '').filter((id) => id !== '');
  if (ids.some((id) => id.length > 255))
    throw new S3Error('InvalidArgument', 'ID length should not exceed allowed limit of 255');
  if (new Set(ids).size < ids.length)
    throw new S3Error('InvalidArgument', 'Rule ID must be unique. Found same ID for more than one rule');
  for (const rule of rules) validateLifecycleRule(rule);
}

function validateLifecycleRule(rule: Element): void {
  checkChildren(rule, ['ID', 'Filter', 'Prefix', 'Status', ...ACTIONS]);
  if (!['Enabled', 'Disabled'].includes(textIn(rule, 'Status') ?? '')) throw malformedXml();
  if ((childOf(rule, 'Filter') === undefined) === (childOf(rule, 'Prefix') === undefined))
    throw malformedXml();
  if (!rule.children.some(({ name }) => ACTIONS.includes(name)))
    throw new S3Error('InvalidRequest', 'At least one action needs to be specified in a rule');
  for (const days of daysIn(rule)) {
    if (!/^\d{1,10}$/.test(days) || Number(days) < 1)
      throw new S3Error('InvalidArgument', "'Days' for lifecycle actions must be a positive integer");
  }
  const expiration = childOf(rule, 'Expiration');
  if (expiration !== undefined && expiration.children.length !== 1) throw malformedXml();
  const expiryDays = Number(textIn(expiration, 'Days') ?? Infinity);
  for (const transition of [
    ...childrenOf(rule, 'Transition'),
    ...childrenOf(rule, 'NoncurrentVersionTransition'),
  ]) {
    const storageClass = textIn(transition, 'StorageClass') ?? '';
    if (!TIERS.includes(storageClass)) throw malformedXml();
    const days = Number(textIn(transition, 'Days') ?? textIn(transition, 'NoncurrentDays') ?? Infinity);
    if (storageClass.endsWith('_IA') && days < INFREQUENT_DAYS_MIN)
      throw new S3Error(
        'InvalidArgument',
        `'Days' in Transition action must be greater than or equal to ${INFREQUENT_DAYS_MIN} for storageClass '${storageClass}'`,
      );
    if (transition.name === 'Transition' && days !== Infinity && expiryDays <= days)
      throw new S3Error(
        'InvalidArgument',
        "'Days' in the Expiration action must be greater than 'Days' in the Transition action",
      );
  }
}

/** Of all actions; a transition may come at once. */
function daysIn(rule: Element): string[] {
  return rule.children
    .filter(({ name }) => ACTIONS.includes(name) && name !== 'Transition')
    .flatMap(({ children }) => children)
    .filter(({ name }) => ['Days', 'NoncurrentDays', 'DaysAfterInitiation'].includes(name))
    .map(({ text }) => text.trim());
}

function validateCors(root: Element): void {
  const rules = childrenOf(root, 'CORSRule');
  if (rules.length === 0 || rules.length > LIMITS.corsRulesMax) throw malformedXml();
  for (const rule of rules) {
    const methods = childrenOf(rule, 'AllowedMethod').map(({ text }) => text.trim());
    if (methods.length === 0 || childrenOf(rule, 'AllowedOrigin').length === 0) throw malformedXml();
    const unknown = methods.find((method) => !['GET', 'PUT', 'HEAD', 'POST', 'DELETE'].includes(method));
    if (unknown !== undefined)
      throw new S3Error(
        'InvalidRequest',
        `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`,
      );
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html */
function validateLock(root: Element, bucket: Bucket): void {
  if (textIn(root, 'ObjectLockEnabled') !== 'Enabled') throw malformedXml();
  if (bucket.versioning !== 'Enabled')
    throw new S3Error(
      'InvalidBucketState',
      'Versioning must be ‘Enabled’ on the bucket to apply a Object Lock configuration',
    );
  const rule = childOf(root, 'Rule');
  if (rule === undefined) return;
  const retention = childOf(rule, 'DefaultRetention');
  const [mode, days, years] = ['Mode', 'Days', 'Years'].map((name) => textIn(retention, name));
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') throw malformedXml();
  if ((days === undefined) === (years === undefined)) throw malformedXml();
  const [count, max] = years === undefined ? [Number(days), 36_500] : [Number(years), 100];
  if (!Number.isInteger(count) || count < 1 || count > max)
    throw new S3Error('InvalidArgument', 'Default retention period must be a positive integer value');
}

/**
 * Each queue gets a test message, unless the request says otherwise.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
 */
async function validateNotification(root: Element, bucket: Bucket, call: Call): Promise<void> {
  const served = ['QueueConfiguration'];
  if (root.children.some(({ name }) => !served.includes(name)))
    throw new S3Error('NotImplemented', 'Notifications go to queues only here');
  const rules = queueRulesIn(root);
  if (rules.length > LIMITS.notificationsMax)
    throw new S3Error('InvalidArgument', 'Too many notification configurations');
  for (const { queueArn, events, id } of rules) {
    if (events.length === 0) throw malformedXml();
    if (events.some((event) => !EVENTS.includes(event)))
      throw new S3Error('InvalidArgument', 'A specified event is not supported for notifications');
    if (!queueArn.startsWith(`arn:aws:sqs:${call.store.region}:`) || queueArn.endsWith('.fifo'))
      throw new S3Error(
        'InvalidArgument',
        'The ARN could not be parsed, or names a FIFO queue or one of another Region',
      );
    if (id.length > 255) throw new S3Error('InvalidArgument', 'The ID is too long');
  }
  if (call.request.headers['x-amz-skip-destination-validation'] === 'true') return;
  for (const { queueArn } of rules) {
    const body = testEvent(bucket.name, call.requestId, call.now);
    if ((await call.deliveries.send(queueArn, body).catch(() => 'later')) !== 'sent')
      throw new S3Error('InvalidArgument', 'Unable to validate the following destination configurations', {
        elements: { ArgumentName: queueArn, ArgumentValue: 'The destination queue does not exist' },
      });
  }
}
