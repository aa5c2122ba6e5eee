import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TooLargeError } from '../src/errors.ts';
import { eventOf } from '../src/event.ts';
import { messageOf, messageText } from '../src/message.ts';
import { encodeStamp } from '../src/stamp.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const CARRIED = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

const text = fc.array(fc.integer({ min: 0, max: 0x10ffff })).map((points) => String.fromCodePoint(...points));
const value = fc.object({ key: text, values: [text, fc.double(), fc.boolean(), fc.constant(null)] });

test('whatever a value holds, its text is taken by every carrier and gives the value back', () => {
  fc.assert(
    fc.property(value, (given) => {
      const body = messageText(given);
      expect(body).toMatch(CARRIED);
      expect(JSON.stringify(JSON.parse(body))).toBe(JSON.stringify(given));
    }),
  );
});

test.each(['\uFFFE', '\uFFFF', '\u0000', '\u001F', '\uD800', '\uDC00'])(
  'character %# of those that a carrier refuses is escaped',
  (character) => {
    const body = messageText({ [character]: character });
    expect(body).toMatch(/^[ -~]*$/);
    expect(JSON.parse(body)).toEqual({ [character]: character });
  },
);

test('the size of a message is that of its text with the escapes in it', () => {
  const stamp = encodeStamp(1, 0, 'azure-eastus');
  const state = {
    fields: { name: [stamp, '\uFFFF'.repeat(100)] as const },
    vector: { 'azure-eastus': stamp },
  };
  const record = { key: 'user:1', state, version: stamp, pending: {}, operations: [] };
  const event = eventOf(record, { source: 'azure-eastus', nowMs: 1 });
  const bytes = Buffer.byteLength(messageOf(event).body);
  expect(bytes - Buffer.byteLength(JSON.stringify(event))).toBe(300);
  expect(() => messageOf(event, bytes - 1)).toThrow(TooLargeError);
  expect(messageOf(event, bytes).body).toHaveLength(bytes);
});
