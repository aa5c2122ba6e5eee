/**
 * Local Azure Communication Services that send SMS, and keep them: the real `@azure/communication-sms` 1.x talks to them.
 *
 * `POST /sms` with tokens of Entra and keys of requests that may be made again. Not there: access keys, mail, chat, calls,
 * numbers that are bought, lists of opt-outs, answers of phones, Event Grid. An SMS to a number that has opted out is taken and
 * nobody gets it: that comes back later, by a call of `reportsTo` in place of a delivery report. Everything is in memory.
 *
 * Numbers that behave in a way of their own are in `sms/numbers.ts`. Faults name the operation (`SendSms`) and the first phone
 * number; a code is an HTTP status, or `recipient-503` for what is said of each recipient inside an answer that is 202.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ApiCall, startApiServer } from '../core/api-server.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { isE164, NOBODY, OptOuts } from '../sms/numbers.ts';
import { handleSmsBox, SmsBox } from '../sms/sms-box.ts';
import { BounceReporter } from '../smtp/bounces.ts';
import { tokenCheck } from './entra.ts';
import { badRequest, CommunicationError, injectedError } from './errors.ts';
import { Repeats, type Result } from './repeats.ts';

/** A hundred recipients and the longest text, whose characters take six bytes in JSON at most, and room for the rest. */
const BODY_BYTES_MAX = 64 * 1024;
/** @see https://github.com/Azure/azure-rest-api-specs/tree/main/specification/communication/data-plane/Sms/stable */
const API_VERSIONS = new Set(['2021-03-07', '2024-01-02', '2024-02-05', '2025-09-17', '2026-01-23']);
export const TEXT_CHARS_MAX = 2_048;
export const RECIPIENTS_MAX = 100;
/** A number that was bought, a short code, or a sender id of letters. */
const SENDER = /^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/;

export interface CommunicationOptions extends Omit<EmulatorOptions, 'dataDir'> {
  /** Base address of the OpenID Connect issuer whose tokens are taken; without it any is. */
  readonly issuer?: string | undefined;
  /** Where SMS that do not arrive are reported; absent: nowhere. */
  readonly reportsTo?: string | undefined;
  /** Where the SMS are kept; absent: in a box of its own. */
  readonly box?: SmsBox;
  readonly optOuts?: OptOuts;
}

export interface CommunicationEmulator extends Emulator {
  readonly box: SmsBox;
  /** Who has answered STOP, and may answer START. */
  readonly optOuts: OptOuts;
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void;
}

interface Recipient {
  readonly to: string;
  readonly id: unknown;
  readonly firstSent: unknown;
}

interface Request {
  readonly from: string;
  readonly message: string;
  readonly recipients: readonly Recipient[];
  readonly attributes: Readonly<Record<string, string>>;
}

export async function startCommunicationServices(
  options: CommunicationOptions = {},
): Promise<CommunicationEmulator> {
  const { port = 0, now = Date.now, box = new SmsBox(), optOuts = new OptOuts() } = options;
  const checkToken = tokenCheck(options.issuer);
  const reports = new BounceReporter(options.reportsTo);
  const repeats = new Repeats();
  const faults = new Faults();
  const usage = new UsageMeter();

  const take = (to: string, { from, message, attributes }: Request): Result => {
    const messageId = `Outgoing_${randomUUID()}`;
    if (optOuts.has(to)) reports.report({ phone: to, kind: 'hard' });
    else
      box.add({
        service: 'Communication Services',
        from,
        to,
        text: message,
        messageId,
        attributes,
        atMs: now(),
      });
    return { to, messageId, httpStatusCode: 202, successful: true };
  };

  const server = await startApiServer(port, {
    bodyBytesMax: BODY_BYTES_MAX,
    faults,
    usage,
    control: (request, response) => handleSmsBox(request, response, box),
    tooLarge: () => badRequest('The request body is too large.').reply,
    refusal: (error) => (error instanceof CommunicationError ? error.reply : undefined),
    route(call) {
      return {
        operation: 'SendSms',
        resource: firstRecipient(call.body),
        async run(injected) {
          await checkToken(call.headers.authorization);
          const recipientStatus = /^recipient-(\d{3})$/.exec(injected ?? '')?.[1];
          if (injected !== undefined && recipientStatus === undefined) throw injectedError(injected);
          const request = requestOf(call);
          const content = JSON.stringify([request.from, request.message]);
          const value = request.recipients.map(({ to, id, firstSent }) =>
            repeats.once({ id, firstSent, content: `${to} ${content}` }, to, {
              now: now(),
              run: () => {
                if (recipientStatus !== undefined)
                  return refused(to, Number(recipientStatus), 'injected by a fault rule');
                return isE164(to) && to !== NOBODY
                  ? take(to, request)
                  : refused(to, 400, 'Invalid To phone number format.');
              },
            }),
          );
          return { status: 202, body: { value } };
        },
      };
    },
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await reports.close();
    await server.close();
  };
  return {
    endpoint: server.endpoint,
    port: server.port,
    faults,
    box,
    optOuts,
    accept: server.accept,
    close: () => (closed ??= close()),
  };
}

function refused(to: string, httpStatusCode: number, errorMessage: string): Result {
  return { to, httpStatusCode, successful: false, errorMessage };
}

/** For fault rules, which come before anything is refused. */
function firstRecipient(body: string): string {
  return /"smsRecipients":\[\{[^\]}]*"to":"([^"]*)"/.exec(body)?.[1] ?? '';
}

/** @throws CommunicationError */
function requestOf({ method, segments, query, body, headers }: ApiCall): Request {
  const version = query.get('api-version');
  if (method !== 'POST' || segments.join('/') !== 'sms')
    throw new CommunicationError(404, 'NotFound', `${method} /${segments.join('/')} is not served here`);
  if (version === null || !API_VERSIONS.has(version))
    throw badRequest(`The api-version ${version ?? ''} is not supported.`);
  if (headers['content-type']?.startsWith('application/json') !== true)
    throw new CommunicationError(415, 'UnsupportedMediaType', 'The content type must be application/json.');
  const { from, message, smsRecipients, smsSendOptions } = objectIn(body);
  if (typeof from !== 'string' || !SENDER.test(from)) throw badRequest('The From field is invalid.');
  if (typeof message !== 'string' || message.length > TEXT_CHARS_MAX)
    throw badRequest(`The Message field must be a string with a maximum length of ${TEXT_CHARS_MAX}.`);
  const all: readonly unknown[] = Array.isArray(smsRecipients) ? smsRecipients : [];
  if (all.length === 0 || all.length > RECIPIENTS_MAX)
    throw badRequest(`The SmsRecipients field must have 1 to ${RECIPIENTS_MAX} recipients.`);
  return { from, message, recipients: all.map(recipientOf), attributes: attributesIn(smsSendOptions) };
}

function objectIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw badRequest('The request body is not a JSON object.');
}

function recipientOf(given: unknown): Recipient {
  const {
    to,
    repeatabilityRequestId: id,
    repeatabilityFirstSent: firstSent,
  } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof to !== 'string') throw badRequest('The To field is required.');
  return { to, id, firstSent };
}

function attributesIn(options: unknown): Record<string, string> {
  if (options === undefined) return {};
  const { enableDeliveryReport, tag } = (options ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof enableDeliveryReport !== 'boolean')
    throw badRequest('The EnableDeliveryReport field is required.');
  return typeof tag === 'string' ? { tag } : {};
}
