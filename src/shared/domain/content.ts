/**
 * What an entity with content has: the fields that say which bytes are a record's and who holds them, and the action by which
 * an upload becomes its content. Pure.
 *
 * Invariant: of all uploads of a record the one that was announced last is its content, whoever is completed last; so an
 * upload that is completed again changes nothing, and never brings back what was replaced.
 */
import {
  claim,
  claimants,
  type Content,
  type Contents,
  type Held,
  siteOfUpload,
} from '@tandem-clouds/replication/objects/content';
import { own } from '@tandem-clouds/replication/own';
import { entityOf, isLive, plainValues, type RecordState } from '@tandem-clouds/replication/record';
import { claimsMax, objectBytesMax, objectInlineBytesMax, objectKeyBytesMax } from '../bounds.ts';
import { digest } from '../digest.ts';
import type { Action, ContentRules, Entity, FetchRule } from './entity.ts';
import type { JsonSchema } from './json-schema.ts';
import { RuleError } from './rule-error.ts';

/** `<site>.<uuid v7 without dashes>`: of two uploads the one with the later id was announced later. */
export const UPLOAD_PATTERN = '^[a-z0-9-]{1,48}\\.[0-9a-f]{32}$';
const TYPE_PATTERN = '^[\\w!#$&^.+-]+/[\\w!#$&^.+-]+( *;[\\x20-\\x7e]*)?$';

/** Of an upload, as the record has it: `Content`. */
const contentSchema = {
  type: 'object',
  description: 'The bytes that were uploaded last and verified; absent: none yet',
  required: ['upload', 'bytes', 'crc64', 'contentType', 'completedMs'],
  additionalProperties: false,
  properties: {
    upload: { type: 'string', pattern: UPLOAD_PATTERN },
    bytes: { type: 'integer', minimum: 0, maximum: objectBytesMax },
    crc64: { type: 'string', pattern: '^[A-Za-z0-9+/]{11}=$', description: 'CRC-64/NVME, in base64' },
    sha256: {
      type: 'string',
      pattern: '^[A-Za-z0-9+/]{43}=$',
      description: 'In base64, as it was announced',
    },
    contentType: { type: 'string', maxLength: 256, pattern: TYPE_PATTERN },
    versionId: { type: 'string', maxLength: 1_024 },
    completedMs: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  },
} as const;

/** Every entity with content has these: `fields: { ...contentFields, title: … }`. */
export const contentFields = {
  name: {
    type: 'string',
    minLength: 1,
    maxLength: objectKeyBytesMax,
    by: 'action',
    description: 'Of one owner, the same name is the same record: another upload replaces the bytes',
  },
  content: { ...contentSchema, merge: 'whole', by: ['action', 'reaction'] },
  heldBy: {
    type: 'array',
    maxItems: claimsMax,
    items: { type: 'string', maxLength: 160 },
    merge: 'set',
    by: ['action', 'reaction'],
    description: '`<upload>@<site>` of each site whose storage has said that it has all bytes',
  },
} as const;

/** What is announced with `POST /<collection>`: of bytes that come with the request, or that are to be sent to a storage. */
export function uploadSchema({ bytesMax }: ContentRules): JsonSchema {
  const { contentType, crc64, sha256 } = contentSchema.properties;
  return {
    type: 'object',
    description:
      'An upload. With `data`, its bytes; or `bytes`, with one checksum at least: then the answer has a URL that takes them once',
    required: ['contentType'],
    additionalProperties: false,
    properties: {
      contentType,
      bytes: { type: 'integer', minimum: 0, maximum: bytesMax },
      crc64,
      sha256,
      data: {
        type: 'string',
        maxLength: Math.ceil(objectInlineBytesMax / 3) * 4,
        pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
        description: `At most ${objectInlineBytesMax} bytes, in base64`,
      },
    },
  };
}

/** Where to send the bytes that were announced. */
export const signedUploadSchema = {
  type: 'object',
  description:
    'In the answer to an upload that was announced: one request, with these headers and no others, once',
  required: ['id', 'method', 'url', 'headers', 'expiresAt'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: UPLOAD_PATTERN },
    method: { type: 'string', enum: ['PUT'] },
    url: { type: 'string' },
    headers: { type: 'object', additionalProperties: { type: 'string' } },
    expiresAt: { type: 'string', format: 'date-time' },
  },
} as const;

/** `POST /<collection>/{id}/complete` */
export const COMPLETE = 'complete';

/** The input of the route, beside what the site has verified of it. */
export const completeAction: Action = {
  summary: 'Make what was uploaded the content, once it has been compared with what was announced',
  input: { upload: { type: 'string', pattern: UPLOAD_PATTERN } },
  required: ['upload'],
  errors: {
    overtaken: { title: 'A later upload is the content already', status: 409 },
    not_uploaded: { title: 'Nothing has been sent by this upload', status: 409 },
    not_as_announced: { title: 'What was sent is not what was announced', status: 422 },
  },
  writes: ['content', 'heldBy'],
  repeat: 'elsewhere',
  decide(record, input) {
    const content = input['content'] as unknown as Content | undefined;
    if (content === undefined) throw new TypeError('an upload is completed by who has verified it');
    const current = record['content'] as unknown as Content | undefined;
    if (current?.upload === content.upload) return undefined;
    if (current !== undefined && announced(content.upload) < announced(current.upload))
      throw new RuleError('overtaken');
    const claims = (record['heldBy'] ?? []) as readonly string[];
    return {
      content: { ...content },
      heldBy: {
        add: [claim(content.upload, siteOfUpload(content.upload))],
        remove: claims.filter((each) => !each.startsWith(`${content.upload}@`)),
      },
    };
  },
};

/** Ids of uploads in the order in which they were announced. */
function announced(upload: string): string {
  return upload.slice(upload.lastIndexOf('.') + 1);
}

/** Which records have content, for the protocol; undefined where no entity declares any. */
export function contentsOf(entities: readonly Entity[]): Contents | undefined {
  const declaring = new Map(
    entities.flatMap(({ name, content }) => (content === undefined ? [] : [[name, content] as const])),
  );
  if (declaring.size === 0) return undefined;
  return {
    may: (key) => declaring.has(entityOf(key)),
    isNothingWithout: (key) => declaring.get(entityOf(key))?.required === true,
    of(key, state, nowMs) {
      const rules = declaring.get(entityOf(key));
      return rules === undefined || !isLive(state, nowMs) ? undefined : heldOf(rules, state);
    },
  };
}

/** What the fields of a record say; undefined: it has no content. */
function heldOf(rules: ContentRules, state: RecordState): Held | undefined {
  const values = plainValues(state);
  const content = own(values, 'content') as unknown as Content | null | undefined;
  if (content === undefined || content === null) return undefined;
  const name = own(values, 'name');
  const { afterSeconds, withinSeconds } = ruleOf(rules.fetch, typeof name === 'string' ? name : '');
  const fromMs = content.completedMs + afterSeconds * 1_000;
  return {
    content,
    heldBy: claimants((own(values, 'heldBy') ?? []) as readonly string[], content.upload),
    fromMs,
    byMs: fromMs + withinSeconds * 1_000,
  };
}

function ruleOf(rules: readonly FetchRule[], name: string): Omit<FetchRule, 'prefix'> {
  const [longest] = rules
    .filter(({ prefix }) => name.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return longest ?? { afterSeconds: 0, withinSeconds: 0 };
}

/** Of a record whose content has variants: what its field `status` says once they are there, and if there will be none. */
export const VARIANT_READY = 'ready';
export const VARIANT_REFUSED = 'refused';

/** The record that holds a variant of another one's content. Its id is short, whatever that of the other is. */
export function variantKey(entity: string, id: string, name: string): string {
  return `${entity}:v${digest(id)}.${name}`;
}

/** Whether a media type is one that is taken; parameters of it do not count. */
export function takesType({ types }: ContentRules, contentType: string): boolean {
  const [type = ''] = contentType.toLowerCase().split(';');
  const [kind = ''] = type.split('/');
  return types.length === 0 || types.some((each) => each === type.trim() || each === `${kind}/*`);
}
