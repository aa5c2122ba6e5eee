/** Reactions in the contract: for operators. */
import { pageSizeMax, reactionKeysMax } from '../../src/shared/bounds.ts';
import { reactionChangeSchema, reactionScanSchema } from '../../src/shared/http/operations/body-schemas.ts';
import {
  count,
  described,
  FOR_OPERATORS,
  object,
  type Paths,
  problems,
  ref,
  response,
  text,
  time,
} from './openapi-parts.ts';

const body = (schema: string): object => ({
  required: true,
  content: { 'application/json': { schema: ref('schemas', schema) } },
});

export function reactionPaths(): Paths {
  const named = {
    name: 'reaction',
    in: 'path',
    required: true,
    schema: text,
    description: '`<entity>.<reaction>`',
  };
  const paused = [401, 403, 404, 500, 503] as const;
  const changes = [400, 401, 403, 404, 411, 413, 415, 503] as const;
  return {
    '/replication/reactions': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listReactions',
        summary: `What is due and what is parked at this site, of up to ${reactionKeysMax} records; ${pageSizeMax} of each are named`,
        responses: { '200': response('Reactions', 'This site'), ...problems(401, 403, 500, 503) },
      },
    },
    '/replication/reactions/{key}': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'readRecordReactions',
        summary: 'The conditions that hold on one record, and what this site knows of them',
        parameters: [
          { name: 'key', in: 'path', required: true, schema: text, description: '`<entity>:<id>`' },
        ],
        responses: { '200': response('RecordReactions', 'One record'), ...problems(401, 403, 404, 500, 503) },
      },
    },
    '/replication/reactions/change': {
      post: {
        ...FOR_OPERATORS,
        operationId: 'changeReaction',
        summary: 'Try one again at once, or park it',
        requestBody: body('ReactionChange'),
        responses: { '200': response('ReactionEntry', 'As it is now'), ...problems(...changes) },
      },
    },
    '/replication/reactions/scan': {
      post: {
        ...FOR_OPERATORS,
        operationId: 'scanReactions',
        summary:
          'One part of a scan that sets what nobody was asked for: of a new reaction for old records, or what a lost site has left',
        requestBody: body('ReactionScan'),
        responses: { '200': response('ReactionScanned', 'What was set'), ...problems(...changes, 409) },
      },
    },
    '/replication/reaction-pauses/{reaction}': {
      put: {
        ...FOR_OPERATORS,
        operationId: 'pauseReaction',
        summary: 'Run nothing of a reaction at this site; its conditions are kept',
        parameters: [named],
        responses: { '200': response('ReactionPause', 'It is paused'), ...problems(...paused) },
      },
      delete: {
        ...FOR_OPERATORS,
        operationId: 'resumeReaction',
        summary: 'Run it again, within five minutes',
        parameters: [named],
        responses: { '200': response('ReactionPause', 'It is no longer paused'), ...problems(...paused) },
      },
    },
  };
}

export function reactionSchemas(): Record<string, object> {
  const keys = object({ keys: count, atLeast: described({ type: 'boolean' }, 'There are more, or may be') });
  const entry = {
    type: 'object',
    required: ['key', 'reaction', 'attempts'],
    additionalProperties: false,
    properties: {
      key: text,
      reaction: text,
      effectId: described(text, 'Names what is to be done; absent when nothing is'),
      due: described(time, 'The next attempt'),
      attempts: count,
      parked: described(text, 'Why nothing is done any more'),
      since: described(time, 'Since when it is parked'),
      detail: described(text, 'What the last attempt failed with'),
      done: described(text, 'The effect that was done here last'),
    },
  };
  const pause = {
    type: 'object',
    required: ['reaction', 'paused'],
    additionalProperties: false,
    properties: { reaction: text, paused: { type: 'boolean' }, since: time },
  };
  const condition = object({
    reaction: text,
    effectId: text,
    origin: described(text, 'The site of the newest stamp that it is about'),
    site: described({ enum: ['origin', 'every'] }, 'Where it is run'),
  });
  const entries = { type: 'array', items: ref('schemas', 'ReactionEntry') };
  const scanned = object({
    site: text,
    scanned: described(count, 'Records that were looked at'),
    set: described(count, 'Reactions that are run now'),
    unusable: { type: 'array', items: text },
  }) as { properties: object };
  return {
    ReactionEntry: entry,
    ReactionPause: pause,
    Reactions: object({
      site: text,
      waiting: keys,
      parked: keys,
      reactions: { type: 'array', items: ref('schemas', 'ReactionPause') },
      entries,
    }),
    RecordReactions: object({
      site: text,
      key: text,
      conditions: { type: 'array', items: condition },
      entries,
    }),
    ReactionChange: reactionChangeSchema,
    ReactionScan: reactionScanSchema,
    ReactionScanned: {
      ...scanned,
      properties: { ...scanned.properties, next: described(text, 'Where to go on; absent at the end') },
    },
  };
}
