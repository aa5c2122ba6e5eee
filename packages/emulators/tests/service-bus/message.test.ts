import { describe, expect, test } from '@jest/globals';
import rhea from 'rhea';
import { SECTION, splitSections } from '../../src/service-bus/amqp-sections.ts';
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageDraft,
  withApplicationProperties,
} from '../../src/service-bus/message.ts';

const { types } = rhea;
const newId = (): string => 'given';

/** A message with types that rhea's own decoder cannot tell apart. */
const SENT = {
  priority: 9,
  ttl: 5000,
  message_annotations: {
    'x-mine': types.wrap_short(3),
    'x-opt-sequence-number': types.wrap_long(77),
    'x-opt-scheduled-enqueue-time': types.wrap_timestamp(123_456),
  },
  message_id: 'm-1',
  group_id: 'session',
  subject: 'subject',
  application_properties: {
    byte: types.wrap_byte(1),
    long: types.wrap_long(1),
    symbol: types.wrap_symbol('s'),
    float: types.wrap_float(1.5),
  },
  body: rhea.message.data_section(Buffer.from([0, 1, 255])),
};

function received(draft: MessageDraft, changes: Partial<Message> = {}): Message {
  return {
    ...draft,
    sequence: 5,
    originalSequence: 5,
    deadLetterSource: undefined,
    enqueuedAt: 1000,
    expiresAt: Infinity,
    deliveryCount: 0,
    state: 'active',
    availableAt: undefined,
    ...changes,
  };
}

const bareOf = (encoded: Buffer): Buffer => {
  const start = splitSections(encoded).find(({ code }) => code >= SECTION.properties)?.start;
  return encoded.subarray(start);
};

describe('a message on its way through the broker', () => {
  test('keeps the bare message byte for byte', () => {
    const encoded = rhea.message.encode(SENT);
    const draft = decodeMessage(encoded, newId);
    const delivered = encodeMessage(received(draft), 2000);
    expect(bareOf(delivered).equals(bareOf(encoded))).toBe(true);
  });

  test('tells the broker what it needs to know', () => {
    expect(decodeMessage(rhea.message.encode(SENT), newId)).toMatchObject({
      id: 'm-1',
      sessionId: 'session',
      priority: 9,
      ttlMs: 5000,
      scheduledAt: 123_456,
    });
  });

  test("carries the sender's annotations with their types, and the broker's own in place of forged ones", () => {
    const draft = decodeMessage(rhea.message.encode(SENT), newId);
    const encoded = encodeMessage(received(draft, { deadLetterSource: 'orders', deliveryCount: 4 }), 2000);
    expect(rhea.message.decode(encoded)).toMatchObject({
      durable: true,
      priority: 9,
      ttl: 5000,
      delivery_count: 4,
      message_annotations: {
        'x-mine': 3,
        'x-opt-sequence-number': 5,
        'x-opt-enqueue-sequence-number': 5,
        'x-opt-enqueued-time': new Date(1000),
        'x-opt-locked-until': new Date(2000),
        'x-opt-message-state': 0,
        'x-opt-deadletter-source': 'orders',
      },
    });
    const shortThree = Buffer.from([0x61, 0x00, 0x03]);
    expect(encoded.includes(Buffer.concat([Buffer.from('x-mine'), shortThree]))).toBe(true);
  });

  test.each([
    { title: 'with properties', sent: { ...SENT, message_id: undefined } },
    { title: 'without any', sent: { body: 'x' } },
  ])('gets an id when it has none, $title', ({ sent }) => {
    const encoded = rhea.message.encode(sent);
    const draft = decodeMessage(encoded, newId);
    expect(draft.id).toBe('given');
    const decoded = rhea.message.decode(draft.bare);
    expect(decoded['message_id']).toBe('given');
    expect(decoded['subject']).toBe('subject' in sent ? 'subject' : undefined);
    const body = splitSections(encoded).at(-1);
    expect(
      draft.bare.subarray(-((body?.end ?? 0) - (body?.start ?? 0))).equals(encoded.subarray(body?.start)),
    ).toBe(true);
  });

  test.each([
    { title: 'a uuid', id: types.wrap_uuid(Buffer.alloc(16, 7)), text: '07'.repeat(16) },
    { title: 'a number', id: types.wrap_ulong(12), text: '12' },
    { title: 'an empty string', id: '', text: '' },
  ])('may be named by $title', ({ id, text }) => {
    expect(decodeMessage(rhea.message.encode({ message_id: id, body: 'x' }), newId).id).toBe(text);
  });

  test('is refused when it is not a message', () => {
    for (const bytes of ['ff', '0053', '005377d1000000ff', '00a1036162637740', '4041']) {
      expect(() => decodeMessage(Buffer.from(bytes, 'hex'), newId)).toThrow(
        expect.objectContaining({ condition: 'amqp:decode-error' }),
      );
    }
  });
});

describe('modified properties', () => {
  test('replace their namesakes and leave everything else as it was', () => {
    const { bare } = decodeMessage(rhea.message.encode(SENT), newId);
    const changed = withApplicationProperties(bare, { long: 'text', added: true });
    expect(rhea.message.decode(changed)['application_properties']).toEqual({
      byte: 1,
      symbol: 's',
      float: 1.5,
      long: 'text',
      added: true,
    });
    const [properties] = splitSections(bare);
    expect(changed.subarray(0, properties?.end).equals(bare.subarray(0, properties?.end))).toBe(true);
    const body = splitSections(bare).at(-1);
    expect(changed.subarray(-5).equals(bare.subarray((body?.end ?? 0) - 5))).toBe(true);
  });

  test('come before the body of a message that had none', () => {
    const { bare } = decodeMessage(rhea.message.encode({ body: 'x' }), newId);
    const codes = splitSections(withApplicationProperties(bare, { a: 1 })).map(({ code }) => code);
    expect(codes).toEqual([SECTION.properties, SECTION.applicationProperties, 0x77]);
  });
});
