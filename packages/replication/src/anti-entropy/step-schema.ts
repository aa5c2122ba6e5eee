/** JSON Schema of the steps of a comparison; compiled ahead of time with all others. */
import { erasuresSoughtMax, erasureToldMax, indexesKnownMax, vectorSitesMax } from '../bounds.ts';
import { SKETCH_CHARACTERS } from './sketch.ts';

const site = { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const text = { type: 'string', maxLength: 512 } as const;
/** The name of a state: its stamps, each at most 62 characters. */
const vectorText = { type: 'string', maxLength: 64 * vectorSitesMax } as const;
const side = { enum: ['from', 'to'] } as const;
const cursor = { type: 'string', maxLength: 4_096 } as const;
const states = {
  type: 'array',
  maxItems: 10_000,
  items: { type: 'array', minItems: 2, maxItems: 2, items: [text, vectorText] },
} as const;

const offeredStates = {
  ...states,
  items: { type: 'array', minItems: 2, maxItems: 3, items: vectorText },
} as const;

const job = {
  type: 'object',
  required: ['id', 'from', 'to', 'atMs', 'repair'],
  additionalProperties: true,
  properties: {
    id: text,
    from: site,
    to: site,
    atMs: count,
    repair: { type: 'boolean' },
    of: text,
    contents: { type: 'boolean' },
    ordered: { type: 'boolean' },
    hops: count,
  },
} as const;

const counted = {
  type: 'object',
  required: ['from', 'to'],
  additionalProperties: false,
  properties: { from: count, to: count },
} as const;

const totals = {
  type: 'object',
  required: ['checked', 'differing', 'repaired', 'examples'],
  additionalProperties: true,
  properties: {
    checked: count,
    differing: count,
    repaired: count,
    examples: { type: 'array', maxItems: 100, items: text },
  },
} as const;

const rest = {
  type: 'object',
  required: ['wanted'],
  additionalProperties: true,
  properties: {
    wanted: { anyOf: [{ const: 'all' }, { type: 'array', maxItems: 20_000, items: text }] },
    cursor,
  },
} as const;

const step = (kind: string, required: readonly string[], properties: object): object => ({
  type: 'object',
  required: ['kind', ...required],
  additionalProperties: true,
  properties: { kind: { const: kind }, ...properties },
});

const ofJob = ['job', 'side', 'counted'] as const;
const properties = { job, side, counted } as const;

/** By kind: what `parseStep` checks a message against. */
export const stepSchema = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: {
      enum: ['digest', 'find', 'offer', 'lacking', 'ended', 'bury', 'purge', 'index', 'erase', 'pack'],
    },
  },
  discriminator: { propertyName: 'kind' },
  oneOf: [
    step('digest', ofJob, {
      ...properties,
      sketch: { type: 'string', maxLength: SKETCH_CHARACTERS },
      cursor,
    }),
    step('find', [...ofJob, 'totals', 'rest'], { ...properties, totals, rest }),
    step('offer', [...ofJob, 'totals', 'states'], {
      ...properties,
      totals,
      rest,
      states: offeredStates,
    }),
    step('lacking', [...ofJob, 'totals', 'keys'], {
      ...properties,
      totals,
      rest,
      keys: { type: 'array', maxItems: 10_000, items: text },
    }),
    step('ended', [...ofJob, 'totals'], { ...properties, totals }),
    step('bury', ['from', 'left', 'states'], {
      from: site,
      atMs: count,
      left: { type: 'array', maxItems: 8, items: site },
      states,
    }),
    step('purge', ['from', 'by', 'states'], { from: site, by: site, states, cursor, hops: count }),
    step('index', ['site', 'ids', 'sinceMs'], {
      site,
      ids: { type: 'array', minItems: 1, maxItems: indexesKnownMax, items: text },
      sinceMs: count,
      cursor,
      hops: count,
    }),
    step('erase', ['site', 'atMs', 'phase', 'sought', 'searched', 'found', 'told'], {
      site,
      atMs: count,
      phase: { enum: ['records', 'entries'] },
      sought: { type: 'object', maxProperties: erasuresSoughtMax, additionalProperties: count },
      searched: count,
      found: {
        type: 'object',
        maxProperties: erasuresSoughtMax,
        additionalProperties: {
          type: 'object',
          required: ['erased', 'emptied', 'entries', 'waiting', 'pending'],
          additionalProperties: count,
        },
      },
      told: { type: 'object', maxProperties: erasureToldMax, additionalProperties: text },
      cursor,
      hops: count,
    }),
    // Each event is checked by itself, as one that came alone.
    step('pack', ['from', 'events'], {
      from: site,
      events: { type: 'array', minItems: 1, maxItems: 1_000, items: { type: 'object' } },
    }),
  ],
} as const;
