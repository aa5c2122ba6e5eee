/** JSON Schema of what begins a comparison. */
export const verificationBeginSchema = {
  type: 'object',
  required: ['peer'],
  additionalProperties: false,
  properties: {
    peer: { type: 'string', minLength: 1, maxLength: 48 },
    repair: { type: 'boolean' },
  },
} as const;
