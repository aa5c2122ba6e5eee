/** What operators do about one person, in the contract. */
import { personEraseSchema, personFindSchema } from '../../src/shared/http/operations/body-schemas.ts';
import {
  count,
  FOR_OPERATORS,
  object,
  type Operation,
  type Paths,
  problems,
  ref,
  response,
  text,
  time,
} from './openapi-parts.ts';

function posting(
  schema: string,
  operation: Pick<Operation, 'operationId' | 'summary' | 'responses'>,
): Operation {
  return {
    ...FOR_OPERATORS,
    ...operation,
    requestBody: { required: true, content: { 'application/json': { schema: ref('schemas', schema) } } },
  };
}

const PROBLEMS = problems(400, 401, 403, 411, 413, 415, 500, 503);

export function personPaths(): Paths {
  return {
    '/replication/persons/records': {
      post: posting('PersonFind', {
        operationId: 'findPersonRecords',
        summary: 'A part of what this site holds of a person, conflict log included',
        responses: {
          '200': response('PersonPage', 'Their records, and where the next part begins'),
          ...PROBLEMS,
        },
      }),
    },
    '/replication/persons/erasures': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listErasures',
        summary: 'The erasures that are known, and how far each site is; nobody is named',
        responses: { '200': response('Erasures', 'The newest first'), ...problems(401, 403, 500, 503) },
      },
      post: posting('PersonErase', {
        operationId: 'erasePerson',
        summary: 'Erase at every site what was written of a person until now, or go on with it',
        responses: {
          '202': response('Erasure', 'This site is being searched'),
          ...PROBLEMS,
          ...problems(409),
        },
      }),
    },
    '/replication/persons/dead-letters': {
      post: posting('PersonFind', {
        operationId: 'discardPersonLetters',
        summary: 'Remove the dead letters that hold what was written of a person until they were erased',
        responses: { '200': response('PersonLetters', 'They are removed'), ...PROBLEMS },
      }),
    },
  };
}

export function personSchemas(): Record<string, object> {
  const erasureSite = object({
    state: { type: 'string', enum: ['not begun', 'searched', 'quiet', 'clean'] },
    ...{ searched: count, erased: count, emptied: count, entries: count, waiting: count, pending: count },
    ...{ lastSearch: time, clean: time },
  });
  return {
    PersonFind: personFindSchema,
    PersonErase: personEraseSchema,
    PersonPage: object({
      site: text,
      searched: count,
      records: {
        type: 'array',
        items: object({ key: text, deleted: { type: 'boolean' }, values: { type: 'object' } }),
      },
      next: text,
    }),
    PersonLetters: object({ scanned: count, discarded: count, atLeast: { type: 'boolean' } }),
    Erasure: object({
      ...{ id: text, at: time, why: text, by: text, ended: { type: 'boolean' } },
      sites: { type: 'object', additionalProperties: erasureSite },
    }),
    Erasures: object({ site: text, erasures: { type: 'array', items: ref('schemas', 'Erasure') } }),
  };
}
