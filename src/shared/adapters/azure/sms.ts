/**
 * SMS by Azure Communication Services. A request has a key under which the service sends one SMS, for five minutes; the SDK
 * makes another one at each call, so it is put in place of the SDK's on the way. A lost answer is asked for once more under
 * the same key.
 *
 * Invariant: a call ends within its time, and what it says of its end is true: refused and unavailable are said only where
 * nothing can have been sent.
 * @see https://learn.microsoft.com/rest/api/communication/sms/sms/send
 * @see https://learn.microsoft.com/rest/api/communication/repeatable-requests
 */
import { SmsClient, type SmsClientOptions, type SmsSendResult } from '@azure/communication-sms';
import type { TokenCredential } from '@azure/identity';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { smsMs } from '../../bounds.ts';
import type { SentSms, Sms, SmsKey, SmsSender } from '../../ports/sms.ts';
import { SmsOptedOutError } from '../../ports/sms-errors.ts';
import { smsRefusal, withoutPhone } from '../phone-words.ts';
import { smsError, smsResultError } from './errors.ts';

export interface CommunicationSmsOptions {
  /** `https://<resource>.<geography>.communication.azure.com` */
  readonly url: string;
  readonly credential: TokenCredential;
  /** A number of the resource, a short code or a sender id. */
  readonly from: string;
  readonly name: string;
  readonly withinMs?: number;
}

/** As the SDK asks for it. */
const SCOPE = 'https://communication.azure.com//.default';
const ATTEMPTS = 2;
/** "Sender blocked for given recipient", which delivery reports say, and what the operations about opt-outs are called. */
const OPTED_OUT = /opt(ed)?[ -]?out|blocked for given recipient/i;

type Policy = NonNullable<SmsClientOptions['additionalPolicies']>[number];
type Pipelined = Parameters<Policy['policy']['sendRequest']>[0];

export class CommunicationSms implements SmsSender {
  readonly name: string;
  readonly #client: SmsClient;
  readonly #options: CommunicationSmsOptions;
  readonly #withinMs: number;

  constructor(options: CommunicationSmsOptions) {
    const { url, credential, name, withinMs = smsMs } = options;
    this.name = name;
    this.#options = options;
    this.#withinMs = withinMs;
    const isLocal = url.startsWith('http:');
    this.#client = new SmsClient(url.replace(/^http:/, 'https:'), credential, {
      retryOptions: { maxRetries: 0 },
      allowInsecureConnection: isLocal,
      // The SDK sends a token by TLS only. What has none is on this machine (config-schema.ts).
      additionalPolicies: [keyed, ...(isLocal ? [withoutTls] : [])],
    });
  }

  async send(sms: Sms): Promise<SentSms> {
    const endsAtMs = performance.now() + this.#withinMs;
    // A token that is not to be had is no request whose answer was lost.
    await this.#options.credential
      .getToken(SCOPE, { abortSignal: AbortSignal.timeout(this.#withinMs) })
      .catch((cause: unknown) => {
        throw new UnavailableError('Communication Services: the identity has given no token', { cause });
      });
    for (let left = ATTEMPTS; ; left -= 1) {
      try {
        return await this.#submit(sms, Math.max(1, (endsAtMs - performance.now()) / left));
      } catch (error) {
        if (!(error instanceof AmbiguousError) || left === 1) throw error;
      }
    }
  }

  async #submit({ to, text: message, key, tag }: Sms, withinMs: number): Promise<SentSms> {
    const { from } = this.#options;
    const options = {
      enableDeliveryReport: true,
      tag,
      abortSignal: AbortSignal.timeout(Math.ceil(withinMs)),
      // How the policy knows it: the SDK passes on what it does not know.
      requestOptions: { customHeaders: { [KEY_HEADER]: JSON.stringify(key) } },
    };
    const [result] = await this.#client
      .send({ from, to: [to], message }, options)
      .catch((error: unknown): never => {
        throw smsRefusal(smsError(error), to);
      });
    if (result === undefined) throw new AmbiguousError('Communication Services: an answer about nobody');
    if (result.successful) return { messageId: result.messageId ?? '', isOne: true };
    throw failureOf(result, to);
  }
}

/** Never leaves this process. */
const KEY_HEADER = 'x-tandem-sms-key';

const keyed: Policy = {
  position: 'perCall',
  policy: {
    name: 'tandemKeyed',
    sendRequest(request, next) {
      const key = request.headers.get(KEY_HEADER);
      request.headers.delete(KEY_HEADER);
      if (key !== undefined) putKey(request, JSON.parse(key) as SmsKey);
      return next(request);
    },
  },
};

function putKey(request: Pipelined, { id, firstSentMs }: SmsKey): void {
  const body = JSON.parse(request.body as string) as { smsRecipients: readonly Record<string, unknown>[] };
  const repeatability = {
    repeatabilityRequestId: id,
    repeatabilityFirstSent: new Date(firstSentMs).toUTCString(),
  };
  request.body = JSON.stringify({
    ...body,
    smsRecipients: body.smsRecipients.map((recipient) => ({ ...recipient, ...repeatability })),
  });
}

const withoutTls: Policy = {
  position: 'perRetry',
  policy: {
    name: 'tandemWithoutTls',
    sendRequest(request, next) {
      request.url = request.url.replace(/^https:/, 'http:');
      return next(request);
    },
  },
};

/** What the answer says of its one recipient. */
function failureOf({ httpStatusCode, errorMessage = '' }: SmsSendResult, to: string): Error {
  const said = withoutPhone(errorMessage, to);
  if (OPTED_OUT.test(errorMessage)) return new SmsOptedOutError(`Communication Services: ${said}`);
  return smsRefusal(smsResultError(httpStatusCode, said), to);
}
