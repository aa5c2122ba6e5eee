/** Small pieces of the contract that several paths share. */
import { clockAheadMaxMs, durabilityWaitMs, sessionWaitMs } from '@tandem-clouds/replication/bounds';
import { recordWaitMs, requestsRemembered } from '../../src/shared/bounds.ts';
import { UUID_7_PATTERN } from '../../src/shared/domain/birth.ts';
import type { Access, Ids } from '../../src/shared/domain/entity.ts';

/** One operation of a path. */
export type Operation = Readonly<Record<string, unknown>>;

/** Operations by path and method. */
export type Paths = Record<string, Record<string, Operation>>;

/** What every operation for operators says. */
export const FOR_OPERATORS = { tags: ['operations'], security: [{ operator: [] }] } as const;

export const text = { type: 'string' } as const;
export const count = { type: 'integer', minimum: 0 } as const;
export const time = { type: 'string', format: 'date-time' } as const;

/** A schema with a sentence about what it is. */
export const described = (schema: object, description: string): object => ({ ...schema, description });

/** An object that has all of these properties and no others. */
export function object(properties: Record<string, unknown>): object {
  return { type: 'object', required: Object.keys(properties), additionalProperties: false, properties };
}

export function ref(kind: 'schemas' | 'headers', name: string): { $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}

/** A JSON answer. */
export function response(schema: string, description: string, headers?: Record<string, unknown>): object {
  return {
    description,
    ...(headers !== undefined && { headers }),
    content: { 'application/json': { schema: ref('schemas', schema) } },
  };
}

const MEANING: Readonly<Record<number, string>> = {
  400: 'Malformed or invalid; the broken rules are named',
  401: 'No key or token, or one that is not accepted; see WWW-Authenticate',
  403: 'Not with this key or token; or the site accepts nobody, because its configuration holds no key',
  404: 'No such record',
  409: 'It exists already; or what it holds now does not allow the change',
  410: 'What the same request made before has been deleted, or has expired, since',
  412: 'A precondition does not hold',
  411: 'The body was sent in chunks, without a Content-Length',
  413: 'The body, or the record it would make, is too large',
  415: 'The body is not JSON by its type, or not in UTF-8',
  422: 'The Idempotency-Key was used before, with another body; or it is so old that the record may have forgotten it (`request_forgotten`), and then nothing is done again',
  429: 'The caller asks for more than a site grants one; see Retry-After',
  500: 'What this site holds of the record cannot be read (`unreadable`), which `GET /replication/pending` explains; or a defect',
  503: 'A dependency does not answer, or the state of X-Tandem-Session is not here yet; see Retry-After',
};

/** For whom a request is made, where an entity has owners or tenants. */
export function actsFor({ owner, tenant }: Access): readonly object[] {
  return [
    ...(owner === undefined
      ? []
      : [
          onBehalf(
            'X-Tandem-Owner',
            'The owner to act for, percent-encoded: another one than the caller takes the scope `tandem/any-owner`. With ' +
              'that scope and without this header, the records of all owners are seen.',
          ),
        ]),
    ...(tenant === undefined
      ? []
      : [
          onBehalf(
            'X-Tandem-Tenant',
            `The tenant to act for, percent-encoded: another one than the claim \`${tenant}\` names takes the scope ` +
              '`tandem/any-tenant`.',
          ),
        ]),
  ];
}

function onBehalf(name: string, description: string): object {
  return { name, in: 'header', schema: { type: 'string', minLength: 1 }, description };
}

/** Names a request that makes something, so that it may be sent again. */
export const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: { type: 'string', pattern: '^(?:"[!#-\\[\\]-~]{1,255}"|[!#-~][!-~]{0,254})$' },
  description:
    'Names this request: sent again with the same body it takes effect once. At another site, too, but for what ' +
    'counts: an `increment` that the other site has not received yet is counted there again. Its key is 1 to 255 ' +
    'visible ASCII characters, bare or in double quotes, and belongs to its caller. What is created gets an id that ' +
    'derives from it, unless the body names one. A record knows the first such request and the ' +
    `${requestsRemembered - 1} newest for as long as it is stored. Make the key a UUID of version 7 right before it is ` +
    'first sent: then one that the record may have forgotten is refused with 422 `request_forgotten`, and whether it ' +
    'took effect is unknown. A key that carries no time, or one that is more than ' +
    `${clockAheadMaxMs / 1_000} s ahead of the clock of the site, may take effect again after ` +
    `${requestsRemembered - 1} others.`,
} as const;

/** Of a creation whose record is as old as its key. */
export const birthKey = ({ withinMs }: Ids): object => ({
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  schema: { type: 'string', pattern: `^(?:"${UUID_7_PATTERN}"|${UUID_7_PATTERN})$` },
  description:
    'Names this request: sent again with the same body, at any site, it takes effect once. It must be a UUID of version 7 ' +
    '(RFC 9562, section 5.7), bare or in double quotes, made right before it is first sent. The id derives from it and from ' +
    'its caller; its time is `createdAt`, the same at every site. Of a record that is not there yet it may be at most ' +
    `${withinMs / 1_000} s old, and ${clockAheadMaxMs / 1_000} s ahead of the clock of the site; otherwise the answer is 400 ` +
    'with the rule `age` or `future`. A repeat for a record that is there is answered however old the key is.',
});

/** `*`, or a list of entity tags in which empty elements are ignored (RFC 9110, sections 5.6.1 and 13.1). */
const TAGS = '^(\\*|,*(W/)?"[!#-~]*"( *,( *(W/)?"[!#-~]*")?)*)$';

/** A precondition on the state of the record. */
export const precondition = (name: 'If-Match' | 'If-None-Match'): object => ({
  name,
  in: 'header',
  schema: { type: 'string', pattern: TAGS, examples: ['*'] },
});

/** Names states that the client has seen: the answer is not older, and a write is decided by nothing older. */
export const session = {
  name: 'X-Tandem-Session',
  in: 'header',
  schema: { type: 'string', format: 'tandem-session' },
  description:
    'Tokens of earlier answers, from any site, separated by commas. The answer is not older than those about what ' +
    `is read: the site waits up to ${sessionWaitMs / 1_000} s for them, then asks the site that made them ` +
    '(`X-Tandem-Origin`), and when that does not answer either, answers 503 `not_yet_here`. A write waits as long for ' +
    'those about its record; after 503 nothing has happened. A token that no site can have given out is answered with 400.',
} as const;

/** Asks for a write to be acknowledged only when every peer's durable queue has it. */
export const prefer = {
  name: 'Prefer',
  in: 'header',
  schema: { type: 'string', examples: ['durability=all'] },
  description:
    "`durability=all` (RFC 7240): the answer waits until every peer's durable queue has accepted the write, and " +
    `says so in \`Preference-Applied\`. When that takes longer than ${durabilityWaitMs / 1_000} s the answer is 202: ` +
    'the write stands here, and the peers will get it.',
} as const;

/** Lets a read wait. @param passing States that the service itself leads on, by field. */
export const preferWait = (passing: Readonly<Record<string, readonly string[]>>): object => {
  const fields = Object.entries(passing).map(([field, states]) => `\`${field}\` is ${states.join(' or ')}`);
  const without = fields.length === 0 ? '' : ` without it, while ${fields.join(', or ')};`;
  return {
    name: 'Prefer',
    in: 'header',
    schema: { type: 'string', examples: ['wait=5'] },
    description:
      `\`wait=<seconds>\` (RFC 7240, section 4.3), up to ${recordWaitMs / 1_000}: with \`If-None-Match\` the answer waits as ` +
      `long as the record is in such a state, and is 304 then;${without} otherwise it comes at once. \`Preference-Applied\` ` +
      'says for how long it may have waited. The time that the function still has is a bound, too.',
  };
};

/** The header that says so. */
export const applied = { 'Preference-Applied': ref('headers', 'Preference-Applied') };
export const waited = { 'Preference-Applied': ref('headers', 'Preference-Applied-Wait') };

/** A write that stands here, with peers that have not all accepted it in time. */
export const NOT_YET_EVERYWHERE = 'Done here; not every peer has accepted it within the time of `Prefer`';

/** Header of an answer to a read that may carry a session. */
export const readHere = { 'X-Tandem-Origin': ref('headers', 'X-Tandem-Origin') };

/** Headers of an answer about the state of one record. */
export const stateHeaders = {
  ETag: ref('headers', 'ETag'),
  'X-Tandem-Session': ref('headers', 'X-Tandem-Session'),
};

/** Headers of an answer to a request that may carry an `Idempotency-Key`. */
export const replayed = { 'Idempotency-Replayed': ref('headers', 'Idempotency-Replayed') };

/** Problem documents by status. */
export function problems(...statuses: readonly number[]): Record<string, object> {
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: MEANING[status] ?? 'Failed',
        content: { 'application/problem+json': { schema: ref('schemas', 'Problem') } },
      },
    ]),
  );
}

/** What an operation that only some sites do says beside the rest. */
export function placed(operation: Operation, sites: readonly string[]): Operation {
  const where = {
    Location: ref('headers', 'Location'),
    'X-Tandem-At': { description: 'The site that is to be asked', schema: text },
  };
  const answer = (description: string): object => ({
    description,
    headers: where,
    content: { 'application/problem+json': { schema: ref('schemas', 'Problem') } },
  });
  return {
    'x-tandem-sites': sites,
    responses: {
      ...(operation['responses'] as object),
      '307': answer(`Asked at a site that does not do this: ${sites.join(', ')} does. Nothing was done`),
      '421': answer(
        'The same, to a request with `X-Tandem-Follow`; or this site knows none of those that do, and names no other',
      ),
    },
  };
}

/** Names what a page leaves out. */
export const unreadable = described(
  { type: 'array', minItems: 1, items: text },
  'Of the records of this page, the ids of those that are there and that this site cannot read; another site may. Absent when there is none',
);
