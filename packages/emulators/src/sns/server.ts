/**
 * A local SNS that sends SMS to phones, and keeps them: the real `@aws-sdk/client-sns` 3.x talks to it.
 *
 * Publishing to a phone number, and who has opted out. Not there: topics, subscriptions, push, the sandbox of a new account,
 * spending limits, delivery logs. A publish to a number that has opted out is taken, and nobody gets it. Everything is in memory.
 *
 * Numbers that behave in a way of their own are in `sms/numbers.ts`. Faults name the action (`Publish`,
 * `CheckIfPhoneNumberIsOptedOut`, …) and the phone number.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ApiCall, type ApiReply, startApiServer } from '../core/api-server.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { toXml } from '../core/xml.ts';
import { isE164, NOBODY, OptOuts } from '../sms/numbers.ts';
import { handleSmsBox, SmsBox } from '../sms/sms-box.ts';
import { injectedError, SnsError, xml } from './errors.ts';
import { authorize, type SignatureRules } from './signature.ts';

/** A message has 256 KB at most, of which three bytes may be one in a form. */
const BODY_BYTES_MAX = 1024 * 1024;
/** Of one publish: https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html */
export const TEXT_CHARS_MAX = 1_600;
/** A number may be opted in again once in so long: https://docs.aws.amazon.com/sns/latest/api/API_OptInPhoneNumber.html */
const OPT_IN_EVERY_MS = 30 * 86_400_000;
const VERSION = '2010-03-31';

export interface SnsOptions extends Omit<EmulatorOptions, 'dataDir'> {
  /** One, or several that are served alike. Default `us-east-1`. */
  readonly region?: string | readonly string[];
  /** Of the account. Default `local`, both. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Where the SMS are kept; absent: in a box of its own. */
  readonly box?: SmsBox;
  readonly optOuts?: OptOuts;
}

export interface SnsEmulator extends Emulator {
  readonly box: SmsBox;
  /** Who has answered STOP, and may answer START. */
  readonly optOuts: OptOuts;
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void;
}

interface State {
  readonly box: SmsBox;
  readonly optOuts: OptOuts;
  /** When a number was last opted in, epoch milliseconds. */
  readonly optedIn: Map<string, number>;
  readonly now: () => number;
}

export async function startSns(options: SnsOptions = {}): Promise<SnsEmulator> {
  const { port = 0, now = Date.now, box = new SmsBox(), optOuts = new OptOuts() } = options;
  const { region = 'us-east-1', accessKeyId = 'local', secretAccessKey = 'local' } = options;
  const rules: SignatureRules = { regions: [region].flat(), accessKeyId, secretAccessKey, now };
  const state: State = { box, optOuts, optedIn: new Map(), now };
  const faults = new Faults();
  const usage = new UsageMeter();
  const server = await startApiServer(port, {
    bodyBytesMax: BODY_BYTES_MAX,
    faults,
    usage,
    control: (request, response) => handleSmsBox(request, response, box),
    tooLarge: () => new SnsError('InvalidParameter', 'Invalid parameter: Message too long').reply,
    refusal: (error) => (error instanceof SnsError ? error.reply : undefined),
    route(call) {
      authorize(call, rules);
      const form = new URLSearchParams(call.body);
      const action = form.get('Action') ?? '';
      const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
      if (run === undefined || !isCall(call) || form.get('Version') !== VERSION)
        throw new SnsError('InvalidAction', `The action ${action} is not valid for this endpoint.`);
      return {
        operation: action,
        resource: form.get('PhoneNumber') ?? form.get('phoneNumber') ?? '',
        run: (injected): ApiReply => {
          if (injected !== undefined) throw injectedError(injected);
          const result = toXml(`${action}Result`, run(form, state));
          return xml(
            200,
            `${action}Response`,
            `${result}<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`,
          );
        },
      };
    },
  });
  let closed: Promise<void> | undefined;
  return {
    endpoint: server.endpoint,
    port: server.port,
    faults,
    box,
    optOuts,
    accept: server.accept,
    close: () => (closed ??= server.close()),
  };
}

function isCall({ method, segments, headers }: ApiCall): boolean {
  const type = headers['content-type'] ?? '';
  return (
    method === 'POST' && segments.join('/') === '' && type.startsWith('application/x-www-form-urlencoded')
  );
}

const ACTIONS: Readonly<Record<string, (form: URLSearchParams, state: State) => unknown>> = {
  Publish(form, { box, optOuts, now }) {
    const to = targetOf(form);
    const text = form.get('Message') ?? '';
    if (text === '') throw invalid('Invalid parameter: Empty message');
    if (Array.from(text).length > TEXT_CHARS_MAX) throw invalid('Invalid parameter: Message too long');
    const attributes = attributesIn(form);
    const messageId = randomUUID();
    if (!optOuts.has(to))
      box.add({
        ...{ service: 'SNS', to, text, messageId, attributes, atMs: now() },
        from: attributes['AWS.MM.SMS.OriginationNumber'] ?? attributes['AWS.SNS.SMS.SenderID'] ?? '',
      });
    return { MessageId: messageId };
  },

  CheckIfPhoneNumberIsOptedOut(form, { optOuts }) {
    return { isOptedOut: optOuts.has(numberOf(form.get('phoneNumber'))) };
  },

  ListPhoneNumbersOptedOut(_, { optOuts }) {
    return { phoneNumbers: { member: optOuts.all() } };
  },

  OptInPhoneNumber(form, { optOuts, optedIn, now }) {
    const number = numberOf(form.get('phoneNumber'));
    if (now() - (optedIn.get(number) ?? -Infinity) < OPT_IN_EVERY_MS)
      throw invalid(`Invalid parameter: ${number} was opted in within 30 days`);
    optedIn.set(number, now());
    optOuts.start(number);
    return {};
  },
};

const invalid = (message: string): SnsError => new SnsError('InvalidParameter', message);

/** The phone that a publish is for. */
function targetOf(form: URLSearchParams): string {
  const [number, arn] = [form.get('PhoneNumber'), form.get('TopicArn') ?? form.get('TargetArn')];
  if (number !== null && arn !== null)
    throw invalid('Invalid parameter: Only one of TopicArn, TargetArn and PhoneNumber may be given');
  if (arn !== null) throw new SnsError('NotFound', 'Topic does not exist');
  if (number === null)
    throw invalid('Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter');
  return numberOf(number);
}

function numberOf(given: string | null): string {
  const number = given ?? '';
  if (isE164(number) && number !== NOBODY) return number;
  throw invalid(`Invalid parameter: PhoneNumber Reason: ${number} is not valid to publish to`);
}

/** @see https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
const ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  'AWS.SNS.SMS.SMSType': /^(Promotional|Transactional)$/,
  'AWS.SNS.SMS.SenderID': /^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$/,
  'AWS.SNS.SMS.MaxPrice': /^\d+(\.\d+)?$/,
  'AWS.MM.SMS.OriginationNumber': /^\+?\d{5,14}$/,
};

function attributesIn(form: URLSearchParams): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let n = 1; form.has(`MessageAttributes.entry.${n}.Name`); n += 1) {
    const of = (field: string): string => form.get(`MessageAttributes.entry.${n}.${field}`) ?? '';
    const [name, type, value] = [of('Name'), of('Value.DataType'), of('Value.StringValue')];
    const wanted = ATTRIBUTES[name];
    if (!/^(String|Number)(\..+)?$/.test(type) || value === '')
      throw new SnsError(
        'InvalidParameterValue',
        `The message attribute '${name}' must have a type and a value`,
      );
    if (wanted !== undefined && !wanted.test(value))
      throw invalid(`Invalid parameter: ${name} Reason: ${value} is not valid`);
    attributes[name] = value;
  }
  return attributes;
}
