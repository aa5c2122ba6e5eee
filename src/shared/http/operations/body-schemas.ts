/** JSON Schema of the bodies that operators send. */
import { deadLetterSettlesMax } from '../../bounds.ts';

const text = { type: 'string', minLength: 1, maxLength: 200 } as const;

const selection = {
  ids: { type: 'array', minItems: 1, maxItems: deadLetterSettlesMax, items: text },
  source: { enum: ['tandem-in', 'tandem-out', 'tandem-verify', 'tandem-react', 'tandem-objects', ''] },
  reason: text,
  /** Nothing else is named: every letter is meant. */
  all: { const: true },
  before: { type: 'string', format: 'date-time' },
  limit: { type: 'integer', minimum: 1, maximum: deadLetterSettlesMax },
  dryRun: { type: 'boolean' },
} as const;
const anyOf = ['ids', 'source', 'reason', 'all'].map((name) => ({ required: [name] }));

/** Which letters to discard: at least one way to choose is given. */
export const discardSchema = {
  type: 'object',
  additionalProperties: false,
  properties: selection,
  anyOf,
} as const;
/** Which letters to send back; an edited event is for one letter, named by its id. */
export const replaySchema = {
  ...discardSchema,
  properties: { ...selection, event: { type: 'object' } },
  if: { properties: { event: {} }, required: ['event'] },
  then: { required: ['ids'], properties: { ids: { type: 'array', maxItems: 1 } } },
} as const;

/** What a conflict is overridden with. */
export const conflictOverrideSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    /** The value to write; the loser's when absent. */
    value: {},
    note: { type: 'string', maxLength: 1_000 },
  },
} as const;

/** What of a record is brought back; a field that has members is not among them. */
export const restoreSchema = {
  type: 'object',
  required: ['key', 'state', 'fields'],
  additionalProperties: false,
  properties: {
    key: { type: 'string', minLength: 3, maxLength: 200 },
    state: { type: 'string', minLength: 1, maxLength: 4_096 },
    fields: {
      type: 'array',
      maxItems: 200,
      items: {
        type: 'object',
        required: ['field', 'to', 'as'],
        additionalProperties: true,
        properties: {
          field: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[^$]' },
          to: {},
          as: { enum: ['value', 'set', 'counter'] },
        },
      },
    },
    life: { enum: ['back', 'gone'] },
  },
} as const;

/** What begins a comparison. */
export const verificationBeginSchema = {
  type: 'object',
  required: ['peer'],
  additionalProperties: false,
  properties: {
    peer: { type: 'string', minLength: 1, maxLength: 48 },
    repair: { type: 'boolean' },
    entity: { type: 'string', minLength: 1, maxLength: 64 },
  },
} as const;

/** What begins an inventory. */
export const inventoryBeginSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    /** All bytes are read and compared, too. */
    read: { type: 'boolean' },
  },
} as const;

const name = { type: 'string', minLength: 1, maxLength: 64 } as const;

/** What an operator makes of one entry. */
export const reactionChangeSchema = {
  type: 'object',
  required: ['action', 'key', 'reaction'],
  additionalProperties: false,
  properties: { action: { enum: ['retry', 'park'] }, key: text, reaction: name },
} as const;

const epoch = { type: 'integer', minimum: 0, maximum: 999_999_999 } as const;

/** What makes a site the writer of an entity; the epoch is the one that was seen. */
export const writerOpenSchema = {
  type: 'object',
  required: ['entity', 'epoch'],
  additionalProperties: false,
  properties: { entity: name, epoch },
} as const;

/** What ends that. */
export const writerCloseSchema = {
  ...writerOpenSchema,
  required: ['entity', 'epoch', 'to'],
  properties: { entity: name, epoch, to: name },
} as const;

const subject = { type: 'string', minLength: 1, maxLength: 256 } as const;
/** What ends in the records of erasures is for people: who asked for it, and why; not who was erased. */
const reason = { type: 'string', minLength: 1, maxLength: 200 } as const;

/** Who is looked for, and where the part before has stopped. */
export const personFindSchema = {
  type: 'object',
  required: ['subject'],
  additionalProperties: false,
  properties: { subject, cursor: { type: 'string', maxLength: 4_096 } },
} as const;

/** Who is erased. */
export const personEraseSchema = {
  type: 'object',
  required: ['subject', 'why', 'by'],
  additionalProperties: false,
  properties: { subject, why: reason, by: reason },
} as const;

/** Whose entries a scan sets: those of one reaction, or those that a lost site has left. */
export const reactionScanSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    entity: name,
    reaction: name,
    lost: name,
    /** Where the part before has stopped. */
    cursor: { type: 'string', maxLength: 4_096 },
  },
  oneOf: [
    { required: ['lost'], not: { anyOf: [{ required: ['entity'] }, { required: ['reaction'] }] } },
    { required: ['entity', 'reaction'], not: { required: ['lost'] } },
  ],
} as const;
