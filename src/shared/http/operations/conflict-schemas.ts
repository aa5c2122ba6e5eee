/** JSON Schema of what operators send about conflicts. */
export const conflictOverrideSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    /** The value to write; the loser's when absent. */
    value: {},
    note: { type: 'string', maxLength: 1_000 },
  },
} as const;
