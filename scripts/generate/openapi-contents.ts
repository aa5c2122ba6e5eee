/** What operators may know of contents of records, in the contract: which are not everywhere, and inventories. */
import { contentKeysMax } from '@tandem-clouds/replication/bounds';
import { NO_COUNTS } from '@tandem-clouds/replication/objects/inventory-step';
import { inventoryBeginSchema } from '../../src/shared/http/operations/body-schemas.ts';
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

const COUNTS: Readonly<Record<keyof typeof NO_COUNTS, string>> = {
  checked: 'Contents that the site says it has, and that its storage was asked for',
  bytes: 'Of these',
  missing: 'Of these, contents that its storage had not: they are fetched again',
  corrupt: 'The same of those that were something other',
  lost: 'Of both, what no other site has',
  unused: 'Uploads in its storage that no record uses',
  unusedBytes: 'Of these',
  removed: 'Of these, uploads that were kept for long enough, and are deleted',
  removedBytes: 'Of these',
  strange: 'Names in its storage that are of no record here: nothing is done about them',
  abandoned: 'Records that never got content, or go with what was deleted, and are deleted',
  corrected: 'Owners and tenants whose usage was put right',
};

/** Parts of `GET /replication`. */
export function contentExposureSchemas(): { readonly tally: object; readonly content: object } {
  const summed = {
    objects: described(count, `At most ${contentKeysMax}`),
    bytes: count,
    overdue: described(count, 'Of them, what should have crossed by now'),
  };
  const oldest = described(time, 'When the oldest of them was completed; absent where there are none');
  const tally = { ...object(summed), properties: { ...summed, oldest } };
  const always = {
    lacking: described(tally, 'What this site is to have and has not'),
    atLeast: described({ type: 'boolean' }, 'There may be more, here and per peer'),
  };
  const content = {
    ...object(always),
    description: 'Contents of records that are not everywhere; absent where no entity has content',
    properties: {
      ...always,
      nowhere: described(
        tally,
        'Of what is lacking, what no site says that it has; absent where there is none',
      ),
      inventory: described(inventory(), 'The latest of this site; absent: there was none yet'),
    },
  };
  return { tally, content };
}

function inventory(): { readonly properties: Record<string, object> } & object {
  const always = {
    begunAt: time,
    read: described({ type: 'boolean' }, 'All bytes were read, too'),
    ...Object.fromEntries(Object.entries(COUNTS).map(([name, what]) => [name, described(count, what)])),
  };
  const endedAt = described(time, 'Absent: it goes on');
  return { ...object(always), properties: { ...always, endedAt } };
}

export function contentPaths(): Paths {
  return {
    '/replication/inventories': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'listContentInventories',
        summary: 'The latest inventory of this site and of each peer, as far as it is known here',
        responses: {
          '200': response('ContentInventories', 'As far as known here'),
          ...problems(401, 403, 503),
        },
      },
      post: {
        ...FOR_OPERATORS,
        operationId: 'beginContentInventory',
        summary: 'Compare the records of this site with its storage now; one that goes on ends',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: ref('schemas', 'ContentInventoryBegin') } },
        },
        responses: {
          '202': response('ContentInventory', 'It has begun', { Location: ref('headers', 'Location') }),
          ...problems(400, 401, 403, 404, 409, 411, 413, 415, 503),
        },
      },
    },
    '/replication/contents/{key}': {
      get: {
        ...FOR_OPERATORS,
        operationId: 'readRecordContent',
        summary: 'What this site knows of the content of one record',
        parameters: [
          { name: 'key', in: 'path', required: true, schema: text, description: '`<entity>:<id>`' },
        ],
        responses: { '200': response('RecordContent', 'One record'), ...problems(401, 403, 404, 500, 503) },
      },
    },
  };
}

export function contentSchemas(): Record<string, object> {
  const examples = described({ type: 'array', items: text }, 'Some of what it has found: keys, and names');
  const { properties } = inventory();
  const named = {
    ...object({ id: text, site: text, examples }),
    properties: { id: text, site: text, examples, ...properties },
  };
  const record = {
    site: text,
    key: text,
    exists: described({ type: 'boolean' }, 'It is neither deleted nor expired'),
  };
  const content = {
    upload: text,
    bytes: count,
    crc64: described(text, 'CRC-64/NVME, in base64'),
    contentType: text,
    completedAt: time,
    heldBy: described({ type: 'array', items: text }, 'Sites whose storage has said that it has all of it'),
    lackedBy: described({ type: 'array', items: text }, 'Sites that are to have it and have not'),
    fetchedFrom: described(time, 'From when on the others fetch it'),
    dueBy: described(time, 'By when they should have it'),
  };
  const attempt = object({ attempts: count });
  const waiting = {
    ...attempt,
    properties: { attempts: count, next: time, detail: described(text, 'Why the last attempt failed') },
  };
  return {
    ContentInventory: named,
    ContentInventories: object({
      site: text,
      inventories: { type: 'array', items: ref('schemas', 'ContentInventory') },
    }),
    ContentInventoryBegin: inventoryBeginSchema,
    RecordContent: {
      ...object(record),
      properties: {
        ...record,
        content: described(object(content), 'Absent: it never got any'),
        fetching: described(waiting, 'How far this site is with it; absent: it has it, or need not'),
      },
    },
  };
}
