/** What only operators may, in the contract: one function for each group of routes. */
import { EARLIER_LIFE } from '@tandem-clouds/replication/conflict-log';
import { eventSchema } from '@tandem-clouds/replication/event-schema';
import { exposureKeysMax, pageSizeMax, resumeKeysMax } from '../../src/shared/bounds.ts';
import { idSchema } from '../../src/shared/domain/json-schema.ts';
import {
  conflictOverrideSchema,
  discardSchema,
  replaySchema,
  restoreSchema,
  verificationBeginSchema,
  writerCloseSchema,
  writerOpenSchema,
} from '../../src/shared/http/operations/body-schemas.ts';
import { idCursor } from '../../src/shared/http/paging.ts';
import { contentPaths, contentSchemas } from './openapi-contents.ts';
import {
  count,
  described,
  FOR_OPERATORS,
  object,
  type Operation,
  type Paths,
  problems,
  ref,
  response,
  text,
  time,
  unreadable,
} from './openapi-parts.ts';
import { personPaths, personSchemas } from './openapi-persons.ts';
import { reactionPaths, reactionSchemas } from './openapi-reactions.ts';

export const securitySchemes = {
  operator: {
    type: 'http',
    scheme: 'bearer',
    description: 'An operator key; the site knows its SHA-256 (TANDEM_OPERATOR_KEYS).',
  },
};

export function operationPaths(): Paths {
  return {
    ...pausePaths(),
    ...pendingPaths(),
    ...deadLetterPaths(),
    ...queuePaths(),
    ...firstCheckPaths(),
    ...conflictPaths(),
    ...restorePaths(),
    ...personPaths(),
    ...verificationPaths(),
    ...contentPaths(),
    ...reactionPaths(),
    ...writerPaths(),
  };
}

export function operationSchemas(): Record<string, object> {
  return {
    ...pauseSchemas(),
    ...pendingSchemas(),
    ...deadLetterSchemas(),
    ...queueSchemas(),
    ...firstCheckSchemas(),
    ...conflictSchemas(),
    Restore: restoreSchema,
    Restored: object({ key: text, state: text, fields: { type: 'array', items: text } }),
    ...personSchemas(),
    ...verificationSchemas(),
    ...contentSchemas(),
    ...reactionSchemas(),
    ...writerSchemas(),
  };
}

function writerPaths(): Paths {
  const step = (operationId: string, summary: string, schema: string): Operation => ({
    ...FOR_OPERATORS,
    operationId,
    summary,
    requestBody: { required: true, content: { 'application/json': { schema: ref('schemas', schema) } } },
    responses: {
      '200': response('Writers', 'As it is now, of this entity'),
      ...problems(400, 401, 403, 404, 409, 411, 413, 415, 500, 503),
    },
  });
  return {
    '/replication/writers': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listWriters',
        summary:
          'Which site writes the records of an entity, where one does at a time, as far as this site knows',
        responses: { '200': response('Writers', 'Every such entity'), ...problems(401, 403, 500, 503) },
      },
    },
    '/replication/writers/close': {
      post: step(
        'closeWriter',
        'This site writes an entity no more; another one is to be opened',
        'WriterClose',
      ),
    },
    '/replication/writers/open': {
      post: step('openWriter', 'This site writes an entity from now on', 'WriterOpen'),
    },
  };
}

function writerSchemas(): Record<string, object> {
  const known = {
    entity: text,
    declared: described(text, 'The site that the declaration names; it counts until another is promoted'),
    site: described(text, 'Who writes; while it is closed, who is to be opened'),
    epoch: described(count, 'Grows with every change; 0: as it is declared'),
  };
  const closedBy = described(text, 'Nobody writes; what this site has written is on its way');
  const writer = { ...object(known), properties: { ...known, closedBy } };
  return {
    Writers: object({ site: text, writers: { type: 'array', items: writer } }),
    WriterOpen: writerOpenSchema,
    WriterClose: writerCloseSchema,
  };
}

function restorePaths(): Paths {
  return {
    '/replication/restores': {
      post: {
        ...FOR_OPERATORS,
        operationId: 'restoreValues',
        summary:
          'Write values of an earlier moment to a record, if it has not changed since they were chosen',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: ref('schemas', 'Restore') } },
        },
        responses: {
          '200': response('Restored', 'They are written, and cross to every site'),
          ...problems(400, 401, 403, 404, 409, 411, 412, 413, 415, 500, 503),
        },
      },
    },
  };
}

function pausePaths(): Paths {
  const peer = { name: 'peer', in: 'path', required: true, schema: text };
  return {
    '/replication/pauses': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listPauses',
        summary: 'Which peers this site does not send to, on an operator’s word',
        responses: { '200': response('Pauses', 'Every peer'), ...problems(401, 403, 500, 503) },
      },
    },
    '/replication/pauses/{peer}': {
      put: {
        ...FOR_OPERATORS,
        operationId: 'pausePeer',
        summary: 'Send nothing more to a peer; what it lacks is kept, counted and shown',
        parameters: [peer],
        responses: { '200': response('Pause', 'It is paused'), ...problems(401, 403, 404, 500, 503) },
      },
      delete: {
        ...FOR_OPERATORS,
        operationId: 'resumePeer',
        summary: `Send to a peer again, and at once up to about ${resumeKeysMax} keys of what it lacks`,
        parameters: [peer],
        responses: {
          '200': response('Resumed', 'It is no longer paused'),
          ...problems(401, 403, 404, 500, 503),
        },
      },
    },
  };
}

const pause = {
  peer: text,
  paused: { type: 'boolean' },
  since: described(time, 'Since when; absent when it is not paused'),
};

function pauseSchemas(): Record<string, object> {
  const required = ['peer', 'paused'];
  const one = { type: 'object', required, additionalProperties: false, properties: pause };
  const sent = {
    type: 'object',
    required: ['keys', 'complete'],
    additionalProperties: false,
    properties: {
      keys: described(count, 'Keys whose state the queue of the peer has accepted'),
      complete: described({ type: 'boolean' }, 'False: the sweeper sends the rest'),
      problem: described(text, 'Why the peer does not take any'),
    },
  };
  return {
    Pause: one,
    Resumed: { ...one, required: [...required, 'sent'], properties: { ...pause, sent } },
    Pauses: object({ site: text, pauses: { type: 'array', items: ref('schemas', 'Pause') } }),
  };
}

function pendingPaths(): Paths {
  const limit = {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: exposureKeysMax, default: exposureKeysMax },
    description: 'Keys that are named for each peer',
  };
  return {
    '/replication/pending': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listPending',
        summary:
          'The keys at risk: which records the peers do not hold yet, the oldest first; and what this site cannot use',
        parameters: [limit],
        responses: { '200': response('Pending', 'Every peer'), ...problems(400, 401, 403, 503) },
      },
    },
  };
}

function pendingSchemas(): Record<string, object> {
  const known = {
    key: described(text, '`<entity>:<id>`'),
    since: described(time, 'When the oldest write was made that the queue of the peer has not accepted'),
  };
  const reason = 'Why the queue of the peer refuses the record for good; absent when it is only on its way';
  const key = { ...object(known), properties: { ...known, refused: described(text, reason) } };
  const peer = object({
    site: text,
    keys: { type: 'array', items: key },
    atLeast: described({ type: 'boolean' }, 'There are more of them, or may be'),
  });
  const view = {
    site: text,
    now: described(time, 'By the clock of this site, when the question was asked'),
    peers: { type: 'array', items: peer },
  };
  const unusable = object({
    key: known.key,
    during: described(
      text,
      'What met it: read, list or write, compare, repair, tombstones, or the question itself (status)',
    ),
    reason: text,
    since: described(time, 'When it was first met'),
    last: described(time, 'When it was last met'),
  });
  const meaning = 'Keys that this site cannot read or write itself, for good; absent when none is known';
  return {
    Pending: {
      ...object(view),
      properties: { ...view, unusable: described({ type: 'array', items: unusable }, meaning) },
    },
  };
}

function deadLetterPaths(): Paths {
  const settle = (operationId: string, summary: string, schema: string): Operation => ({
    ...FOR_OPERATORS,
    operationId,
    summary,
    requestBody: { required: true, content: { 'application/json': { schema: ref('schemas', schema) } } },
    responses: {
      '200': response('SettledDeadLetters', 'What was done'),
      ...problems(400, 401, 403, 409, 411, 413, 415, 503),
    },
  });
  return {
    '/replication/dead-letters': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listDeadLetters',
        summary: 'Why messages were set aside, by queue and reason',
        responses: { '200': response('DeadLetterCauses', 'As far as looked'), ...problems(401, 403, 503) },
      },
    },
    '/replication/dead-letters/{id}': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'getDeadLetter',
        summary: 'One message that was set aside, with its body',
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        responses: { '200': response('DeadLetter', 'As it came'), ...problems(401, 403, 404, 503) },
      },
    },
    '/replication/dead-letters/replay': {
      post: settle(
        'replayDeadLetters',
        'Send messages back to the queues that they came from; twice is harmless',
        'DeadLetterReplay',
      ),
    },
    '/replication/dead-letters/discard': {
      post: settle('discardDeadLetters', 'Remove messages for good', 'DeadLetterDiscard'),
    },
  };
}

function deadLetterSchemas(): Record<string, object> {
  const sample = {
    scanned: described(count, 'Messages that were looked at'),
    atLeast: described({ type: 'boolean' }, 'There may be more'),
  };
  const of = {
    source: text,
    reason: text,
    messages: count,
    detail: text,
    oldest: time,
    newest: time,
    ids: { type: 'array', items: text },
  };
  const keys = { type: 'array', items: object({ key: text, detail: text }) };
  const cause = {
    ...object(of),
    properties: { ...of, keys: described(keys, 'The first few records that they are about, and why') },
  };
  return {
    DeadLetterCauses: object({ now: time, ...sample, causes: { type: 'array', items: cause } }),
    DeadLetter: object({ id: text, source: text, reason: text, detail: text, body: text, at: time }),
    DeadLetterReplay: {
      ...replaySchema,
      properties: { ...replaySchema.properties, event: ref('schemas', 'ReplicationEvent') },
    },
    ReplicationEvent: inOpenApi(eventSchema),
    DeadLetterDiscard: discardSchema,
    SettledDeadLetters: object({
      dryRun: { type: 'boolean' },
      ...sample,
      matched: described(count, 'Messages that were meant'),
      settled: described(count, 'Messages that were replayed or discarded, or would be in a dry run'),
      failed: { type: 'array', items: object({ id: text, detail: text }) },
    }),
  };
}

/** OpenAPI 3.1 has the JSON Schema of 2020, in which the items of a tuple have a keyword of their own. */
function inOpenApi(schema: object): object {
  const entries = Object.entries(schema).map(([name, value]: [string, unknown]) => {
    if (name === 'items' && Array.isArray(value)) return ['prefixItems', value];
    return [
      name,
      typeof value === 'object' && value !== null && !Array.isArray(value) ? inOpenApi(value) : value,
    ];
  });
  return Object.fromEntries(entries) as object;
}

function queuePaths(): Paths {
  return {
    '/replication/queues': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'getQueues',
        summary: 'How many messages the queues of this site hold',
        responses: { '200': response('Queues', 'As the broker counts them'), ...problems(401, 403, 503) },
      },
    },
  };
}

function queueSchemas(): Record<string, object> {
  const depth = object({ messages: count, atLeast: described({ type: 'boolean' }, 'There may be more') });
  return {
    Queues: object({
      site: text,
      queues: object({
        out: depth,
        in: depth,
        dead: described(depth, 'Set aside, by the bridge or by the broker'),
      }),
    }),
  };
}

function firstCheckPaths(): Paths {
  return {
    '/replication/first-check': {
      post: {
        ...FOR_OPERATORS,
        operationId: 'firstCheck',
        summary: 'Makes one call of each kind that this site makes, and says what became of each',
        description:
          'Before any traffic, and harmless in it: what is written is removed again, and a message that is sent is ' +
          'dropped by whoever receives it. What a finding means: `npm run tandem -- first-check`.',
        responses: { '200': response('FirstCheck', 'A finding for each call'), ...problems(401, 403) },
      },
    },
  };
}

function firstCheckSchemas(): Record<string, object> {
  return {
    FirstCheck: object({
      site: text,
      findings: {
        type: 'array',
        items: object({
          probe: described(text, 'The kind of call'),
          subject: described(text, 'What it is about, where there is more than one; else empty'),
          result: { enum: ['ok', 'refused', 'skipped'] },
          seen: described(text, 'What was seen; of a refusal the error with its causes'),
          ms: count,
        }),
      },
    }),
  };
}

function conflictPaths(): Paths {
  const id = { name: 'id', in: 'path', required: true, schema: idSchema };
  return {
    '/replication/conflicts': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listConflicts',
        summary: 'Writes that lost against one that had not seen them, newest first',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: pageSizeMax } },
          { name: 'cursor', in: 'query', schema: { type: 'string', pattern: idCursor.pattern } },
        ],
        responses: { '200': response('Conflicts', 'One page'), ...problems(400, 401, 403, 503) },
      },
    },
    '/replication/conflicts/{id}': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'getConflict',
        summary: 'One conflict, with both versions',
        parameters: [id],
        responses: { '200': response('Conflict', 'The entry'), ...problems(401, 403, 404, 500, 503) },
      },
    },
    '/replication/conflicts/{id}/override': {
      post: {
        ...FOR_OPERATORS,
        operationId: 'overrideConflict',
        summary: 'Write the value that lost, or another one, to the field: a newer write like any other',
        parameters: [id],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: ref('schemas', 'ConflictOverride') } },
        },
        responses: {
          '200': response('Conflict', 'It is overridden'),
          ...problems(400, 401, 403, 404, 411, 413, 415, 500, 503),
        },
      },
    },
  };
}

function conflictSchemas(): Record<string, object> {
  const version = {
    type: 'object',
    required: ['stamp', 'site', 'at'],
    additionalProperties: false,
    properties: { stamp: text, site: text, at: time, value: described({}, 'Any JSON value') },
  };
  return {
    Conflict: {
      type: 'object',
      required: ['id', 'record', 'field', 'loser', 'winner', 'reason'],
      additionalProperties: false,
      properties: {
        id: text,
        record: described(text, 'The key of the record: entity and id'),
        field: text,
        loser: version,
        winner: version,
        reason: { enum: ['newer', 'higher rank', EARLIER_LIFE] },
        override: described({ type: 'object' }, 'What an operator decided, once somebody did'),
      },
    },
    Conflicts: {
      type: 'object',
      required: ['items'],
      additionalProperties: false,
      properties: { items: { type: 'array', items: ref('schemas', 'Conflict') }, unreadable, cursor: text },
    },
    ConflictOverride: conflictOverrideSchema,
  };
}

function verificationPaths(): Paths {
  return {
    '/replication/verifications': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listVerifications',
        summary: 'The latest comparison with each peer, and when the two were last the same',
        parameters: [
          {
            name: 'entity',
            in: 'query',
            description: 'Comparisons of its records alone, where one site writes them at a time',
            schema: text,
          },
        ],
        responses: {
          '200': response('Verifications', 'As far as known here'),
          ...problems(401, 403, 404, 503),
        },
      },
      post: {
        ...FOR_OPERATORS,
        operationId: 'beginVerification',
        summary: 'Compare this site with a peer, or make both the same; fills an empty peer as well',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: ref('schemas', 'VerificationBegin') } },
        },
        responses: {
          '202': response('Verification', 'It has begun', { Location: ref('headers', 'Location') }),
          ...problems(400, 401, 403, 404, 411, 413, 415, 503),
        },
      },
    },
  };
}

function verificationSchemas(): Record<string, object> {
  const side = {
    type: 'object',
    required: ['checked', 'differing', 'repaired', 'examples'],
    additionalProperties: false,
    properties: {
      counted: described(count, 'Records of the side; absent until it has ended'),
      checked: described(count, 'Records that were offered to the other side'),
      differing: described(count, 'Of those, records that the other side lacked or held in an earlier state'),
      repaired: described(count, 'Of those, records that were sent'),
      examples: { type: 'array', items: text },
    },
  };
  const known = { site: text, verifications: { type: 'array', items: ref('schemas', 'Verification') } };
  const leftOut = described(
    { type: 'array', minItems: 1, items: text },
    'Keys of results that are there and that this site cannot read; absent when there is none',
  );
  return {
    Verification: {
      type: 'object',
      required: ['id', 'from', 'to', 'repair', 'begunAt', 'ended', 'sides'],
      additionalProperties: false,
      properties: {
        id: text,
        from: text,
        to: text,
        repair: { type: 'boolean' },
        entity: described(text, 'Whose records were compared; absent: all records'),
        begunAt: time,
        ended: { type: 'boolean' },
        endedAt: time,
        lastCleanAt: described(time, 'When the last comparison began that found no difference'),
        sides: { type: 'object', additionalProperties: side },
      },
    },
    Verifications: { ...object(known), properties: { ...known, unreadable: leftOut } },
    VerificationBegin: verificationBeginSchema,
  };
}
