/** The senders of SMS of both clouds, against emulators: what became of an SMS, whatever goes wrong. */
import { SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { NOBODY, OPTED_OUT } from '@tandem-clouds/emulators/sms/numbers';
import { SnsSms } from '../../../src/shared/adapters/aws/sms.ts';
import { CommunicationSms } from '../../../src/shared/adapters/azure/sms.ts';
import type { Sms, SmsSender } from '../../../src/shared/ports/sms.ts';

const PHONE = '+15005550006';
const SERVICES = ['sns', 'communicationservices'] as const;

let emulators: Emulators<(typeof SERVICES)[number]>;
let sns: SNSClient;

beforeAll(async () => {
  emulators = await startEmulators({ services: SERVICES });
  sns = new SNSClient({ ...emulators.sns.config, maxAttempts: 1 });
});
afterAll(async () => {
  sns.destroy();
  await emulators.close();
});
beforeEach(() => {
  for (const name of SERVICES) {
    emulators[name].faults.clear();
    emulators[name].box.clear();
  }
});

const openSns = (more = {}): SmsSender => new SnsSms(sns, { from: 'Tandem', name: 'A shop', ...more });
const openCommunication = (more = {}): SmsSender =>
  new CommunicationSms({
    url: `http://127.0.0.1:${emulators.communicationservices.port}`,
    credential: emulators.communicationservices.credential,
    ...{ from: '+15005550100', name: 'A shop', ...more },
  });
const ID = '0f36d242-46aa-8247-8bf6-619a1206f9c3';
const sms = (more: Partial<Sms> = {}): Sms => ({
  ...{
    to: PHONE,
    text: 'Hello',
    tag: 'o1~paid-sms',
    key: { id: crypto.randomUUID(), firstSentMs: Date.now() },
  },
  ...more,
});

describe.each([
  ['SNS', openSns, 'sns', 'Publish', 'Throttled'],
  ['Communication Services', openCommunication, 'communicationservices', 'SendSms', '429'],
] as const)('%s', (_, open, service, operation, throttled) => {
  const faults = () => emulators[service].faults;
  const box = () => emulators[service].box.all(PHONE);

  test('sends a text', async () => {
    expect((await open().send(sms())).messageId).not.toBe('');
    expect(box()).toMatchObject([{ text: 'Hello', copies: 1 }]);
  });

  test('refuses a number of nobody for good, and says so without the number', async () => {
    const error = await open()
      .send(sms({ to: NOBODY }))
      .then(
        () => new Error('sent'),
        (refusal: unknown) => refusal as Error,
      );
    expect(error).toMatchObject({ name: 'SmsRefusedError' });
    expect(JSON.stringify([error.message, String(error.cause)])).not.toContain(NOBODY.slice(1));
  });

  test.each([
    ['throttled', throttled, 'ThrottledError'],
    ['without a right', service === 'sns' ? 'AuthorizationError' : '403', 'UnavailableError'],
  ])('%s sends nothing, and may be asked later', async (_title, code, name) => {
    faults().add({ kind: 'error', operation, code });
    await expect(open().send(sms())).rejects.toMatchObject({ name });
    expect(box()).toEqual([]);
  });

  test('that fails may have sent it', async () => {
    faults().add({ kind: 'error', operation, code: service === 'sns' ? 'InternalError' : '500' });
    await expect(open().send(sms())).rejects.toMatchObject({ name: 'AmbiguousError' });
  });

  test('that does not answer ends in time, and may have sent it', async () => {
    faults().add({ kind: 'latency', operation, latencyMs: 5_000 });
    const beganMs = performance.now();
    await expect(open({ withinMs: 400 }).send(sms())).rejects.toMatchObject({ name: 'AmbiguousError' });
    expect(performance.now() - beganMs).toBeLessThan(4_000);
  });
});

describe('SNS', () => {
  test('says who writes, and that it is a receipt', async () => {
    await openSns().send(sms());
    await openSns({ from: '+15005550100' }).send(sms({ text: 'Other' }));
    const type = { 'AWS.SNS.SMS.SMSType': 'Transactional' };
    expect(emulators.sns.box.all().map(({ from, attributes }) => [from, attributes])).toEqual([
      ['+15005550100', { ...type, 'AWS.MM.SMS.OriginationNumber': '+15005550100' }],
      ['Tandem', { ...type, 'AWS.SNS.SMS.SenderID': 'Tandem' }],
    ]);
  });

  test('whose answer is lost may have sent it, and has no key', async () => {
    emulators.sns.faults.add({ kind: 'drop-ack', operation: 'Publish', times: 1 });
    const one = sms();
    await expect(openSns().send(one)).rejects.toMatchObject({ name: 'AmbiguousError' });
    expect(await openSns().send(one)).toMatchObject({ isOne: false });
    expect(emulators.sns.box.all(PHONE)).toMatchObject([{ copies: 2 }]);
  });

  test('is asked first whether a phone has opted out; a question without an answer has sent nothing', async () => {
    await expect(openSns().send(sms({ to: OPTED_OUT }))).rejects.toMatchObject({ name: 'SmsOptedOutError' });
    emulators.sns.faults.add({ kind: 'drop-ack', operation: 'CheckIfPhoneNumberIsOptedOut', times: 1 });
    await expect(openSns().send(sms())).rejects.toMatchObject({ name: 'UnavailableError' });
    expect(emulators.sns.box.all()).toEqual([]);
  });
});

describe('Communication Services', () => {
  test('send one SMS under a key, however often: an answer that is lost is asked for again', async () => {
    emulators.communicationservices.faults.add({ kind: 'drop-ack', operation: 'SendSms', times: 1 });
    const one = sms({ key: { id: ID, firstSentMs: Date.now() } });
    const first = await openCommunication().send(one);
    expect(first).toMatchObject({ isOne: true });
    expect(await openCommunication().send(one)).toEqual(first);
    expect(emulators.communicationservices.box.all(PHONE)).toMatchObject([
      { copies: 1, attributes: { tag: 'o1~paid-sms' } },
    ]);
  });

  test('refuse a key that is too old, so that the next attempt has another', async () => {
    const key = { id: crypto.randomUUID(), firstSentMs: Date.now() - 600_000 };
    await expect(openCommunication().send(sms({ key }))).rejects.toMatchObject({ name: 'UnavailableError' });
  });

  test('that answer 503 for the recipient may have sent it', async () => {
    emulators.communicationservices.faults.add({ kind: 'error', code: 'recipient-503' });
    await expect(openCommunication().send(sms())).rejects.toMatchObject({ name: 'AmbiguousError' });
  });

  test('are not called without a token', async () => {
    const credential = { getToken: () => Promise.reject(new Error('no identity')) };
    await expect(openCommunication({ credential }).send(sms())).rejects.toMatchObject({
      name: 'UnavailableError',
    });
    expect(emulators.communicationservices.box.all()).toEqual([]);
  });
});
