/** SNS through the real SDK: SMS to phones, who has opted out, signatures, faults. */
import {
  CheckIfPhoneNumberIsOptedOutCommand,
  ListPhoneNumbersOptedOutCommand,
  OptInPhoneNumberCommand,
  PublishCommand,
  type PublishCommandInput,
  SNSClient,
} from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { partsOf } from '../src/sms/encoding.ts';
import { NOBODY, OPTED_OUT } from '../src/sms/numbers.ts';
import { SMS_MAX, SmsBox } from '../src/sms/sms-box.ts';
import { type Emulators, startEmulators } from '../src/start-emulators.ts';

const PHONE = '+15005550006';

let nowMs: number;
let emulators: Emulators<'sns'>;
let client: SNSClient;

beforeEach(async () => {
  nowMs = Date.now();
  emulators = await startEmulators({ services: ['sns'], now: () => nowMs });
  client = new SNSClient({ ...emulators.sns.config, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await emulators.close();
});

const publish = (input: Partial<PublishCommandInput> = {}, by = client) =>
  by.send(new PublishCommand({ PhoneNumber: PHONE, Message: 'Hello', ...input }));
const attribute = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });

describe('a text', () => {
  test('is published with its attributes, and kept', async () => {
    const { MessageId } = await publish({
      Message: 'Grüße & 1 + 1 = 2 €',
      MessageAttributes: {
        'AWS.SNS.SMS.SMSType': attribute('Transactional'),
        'AWS.SNS.SMS.SenderID': attribute('Tandem'),
      },
    });
    expect(MessageId).toMatch(/^[0-9a-f-]{36}$/);
    const response = await fetch(`${emulators.sns.config.endpoint}/_tandem/sms?to=%2B15005550006`);
    expect(await response.json()).toMatchObject({
      dropped: 0,
      items: [
        {
          ...{ service: 'SNS', from: 'Tandem', to: PHONE, text: 'Grüße & 1 + 1 = 2 €', copies: 1 },
          ...{ messageId: MessageId, encoding: 'GSM-7', parts: 1 },
          attributes: { 'AWS.SNS.SMS.SMSType': 'Transactional', 'AWS.SNS.SMS.SenderID': 'Tandem' },
        },
      ],
    });
  });

  test.each([
    ['160 characters of GSM are one SMS', 'a'.repeat(160), 'GSM-7', 1],
    ['161 are two', 'a'.repeat(161), 'GSM-7', 2],
    ['307 are three', 'a'.repeat(307), 'GSM-7', 3],
    ['€ takes two septets', '€'.repeat(81), 'GSM-7', 2],
    ['a character outside GSM makes it UCS-2', `${'a'.repeat(69)}ł`, 'UCS-2', 1],
    ['71 of UCS-2 are two', 'ł'.repeat(71), 'UCS-2', 2],
    ['no part ends within a character', '😀'.repeat(67), 'UCS-2', 3],
  ] as const)('%s', (_, text, encoding, parts) => {
    expect(partsOf(text)).toEqual({ encoding, parts });
  });

  test('published twice is two SMS: there is no key', async () => {
    const [a, b] = [await publish(), await publish()];
    expect(a.MessageId).not.toBe(b.MessageId);
    expect(emulators.sns.box.all(PHONE)).toMatchObject([{ copies: 2 }]);
  });

  test('goes when newer ones need the room, and is counted', () => {
    const box = new SmsBox();
    const sms = { service: 'SNS', from: '', to: PHONE, messageId: 'm', attributes: {}, atMs: 0 };
    for (let n = 0; n < SMS_MAX + 2; n += 1) box.add({ ...sms, text: String(n) });
    expect([box.all().length, box.all().at(-1)?.text, box.dropped]).toEqual([SMS_MAX, '2', 2]);
  });
});

describe('what is refused', () => {
  test.each([
    ['a number that is none', { PhoneNumber: '0170' }, 'is not valid to publish to'],
    ['a number without its plus', { PhoneNumber: '15005550006' }, 'is not valid to publish to'],
    ['a number of nobody', { PhoneNumber: NOBODY }, 'is not valid to publish to'],
    ['no text', { Message: '' }, 'Empty message'],
    ['more than 1,600 characters', { Message: 'a'.repeat(1_601) }, 'Message too long'],
    ['a topic beside a phone', { TopicArn: 'arn:aws:sns:us-east-1:000000000000:t' }, 'Only one of'],
    [
      'a type of SMS that is none',
      { MessageAttributes: { 'AWS.SNS.SMS.SMSType': attribute('Urgent') } },
      'SMSType',
    ],
    [
      'a sender id of more than eleven characters',
      { MessageAttributes: { 'AWS.SNS.SMS.SenderID': attribute('TandemsOfToday') } },
      'SenderID',
    ],
    [
      'a sender id without a letter',
      { MessageAttributes: { 'AWS.SNS.SMS.SenderID': attribute('12345') } },
      'SenderID',
    ],
  ])('%s', async (_, input, message) => {
    await expect(publish(input)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(message) as unknown,
      $metadata: { httpStatusCode: 400 },
    });
    expect(emulators.sns.box.all()).toEqual([]);
  });

  test('topics, which are not there', async () => {
    const topic = new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:000000000000:t', Message: 'a' });
    await expect(client.send(topic)).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  test.each([
    ['a key that is not known', { accessKeyId: 'other', secretAccessKey: 'local' }, 'InvalidClientTokenId'],
    [
      'a signature of another key',
      { accessKeyId: 'local', secretAccessKey: 'other' },
      'SignatureDoesNotMatch',
    ],
  ])('%s', async (_, credentials, name) => {
    const other = new SNSClient({ ...emulators.sns.config, credentials, maxAttempts: 1 });
    await expect(publish({}, other)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
    other.destroy();
    expect(emulators.sns.box.all()).toEqual([]);
  });

  test('a signature for another region, and one of another time', async () => {
    const other = new SNSClient({ ...emulators.sns.config, region: 'eu-west-1', maxAttempts: 1 });
    await expect(publish({}, other)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    other.destroy();
    nowMs += 600_000;
    await expect(publish()).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  test('a request without a signature, and one that was changed on the way', async () => {
    const { endpoint } = emulators.sns.config;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `Action=Publish&Version=2010-03-31&Message=a&PhoneNumber=${encodeURIComponent(PHONE)}`;
    const bare = await fetch(endpoint, { method: 'POST', headers, body });
    expect([bare.status, await bare.text()]).toEqual([
      403,
      expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    ]);
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string };
        request.body = request.body.replace('Hello', 'Other');
        return next(args);
      },
      // Behind the one that signs.
      { step: 'finalizeRequest', priority: 'low' },
    );
    await expect(publish()).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });
});

describe('who has opted out', () => {
  const isOptedOut = async (phoneNumber: string): Promise<boolean | undefined> =>
    (await client.send(new CheckIfPhoneNumberIsOptedOutCommand({ phoneNumber }))).isOptedOut;

  test('is known, and gets nothing though the publish is taken', async () => {
    emulators.sns.optOuts.stop(PHONE);
    expect([await isOptedOut(PHONE), await isOptedOut(OPTED_OUT), await isOptedOut('+15005550007')]).toEqual([
      ...[true, true, false],
    ]);
    expect((await publish()).MessageId).toBeDefined();
    expect(emulators.sns.box.all()).toEqual([]);
    const { phoneNumbers } = await client.send(new ListPhoneNumbersOptedOutCommand({}));
    expect(phoneNumbers).toEqual([OPTED_OUT, PHONE]);
  });

  test('is opted in again once in 30 days', async () => {
    const optIn = () => client.send(new OptInPhoneNumberCommand({ phoneNumber: OPTED_OUT }));
    await optIn();
    expect(await isOptedOut(OPTED_OUT)).toBe(false);
    await expect(optIn()).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

describe('faults', () => {
  test('throttling is 429, and nothing is sent', async () => {
    emulators.sns.faults.add({ kind: 'error', operation: 'Publish', times: 1 });
    await expect(publish()).rejects.toMatchObject({
      name: 'ThrottledException',
      $metadata: { httpStatusCode: 429 },
    });
    expect(emulators.sns.box.all()).toEqual([]);
  });

  test('an answer that is lost leaves an SMS that was sent', async () => {
    emulators.sns.faults.add({ kind: 'drop-ack', operation: 'Publish', resource: PHONE, times: 1 });
    await expect(publish()).rejects.toThrow('socket hang up');
    expect(emulators.sns.box.all(PHONE)).toHaveLength(1);
  });
});
