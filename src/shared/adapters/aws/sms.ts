/**
 * SMS by SNS. A publish has no key: what was taken, and whose answer was lost, is sent again as another SMS. One to a number
 * that has opted out is taken and goes to nobody, so that is asked first.
 *
 * Invariant: a call ends within its time, and what it says of its end is true: refused and unavailable are said only where
 * nothing can have been sent.
 * @see https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
 */
import {
  CheckIfPhoneNumberIsOptedOutCommand,
  type MessageAttributeValue,
  PublishCommand,
  type SNSClient,
} from '@aws-sdk/client-sns';
import { AmbiguousError } from '@tandem-clouds/replication/errors';
import { smsMs } from '../../bounds.ts';
import type { SentSms, Sms, SmsSender } from '../../ports/sms.ts';
import { SmsOptedOutError } from '../../ports/sms-errors.ts';
import { isPhone, smsRefusal } from '../phone-words.ts';
import { asError } from '../vendor-error.ts';
import { smsError } from './errors.ts';

export interface SnsSmsOptions {
  /** A number of the account, or a sender id of one to eleven letters and digits. */
  readonly from: string;
  readonly name: string;
  readonly withinMs?: number;
}

export class SnsSms implements SmsSender {
  readonly name: string;
  readonly #client: SNSClient;
  readonly #attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly #withinMs: number;

  constructor(client: SNSClient, { from, name, withinMs = smsMs }: SnsSmsOptions) {
    this.name = name;
    this.#client = client;
    this.#withinMs = withinMs;
    this.#attributes = {
      // Receipts, not advertisements: these are delivered first.
      'AWS.SNS.SMS.SMSType': text('Transactional'),
      [isPhone(from) ? 'AWS.MM.SMS.OriginationNumber' : 'AWS.SNS.SMS.SenderID']: text(from),
    };
  }

  async send({ to, text: Message }: Sms): Promise<SentSms> {
    const abortSignal = AbortSignal.timeout(this.#withinMs);
    await this.#checkOptOut(to, abortSignal);
    const publish = new PublishCommand({ PhoneNumber: to, Message, MessageAttributes: this.#attributes });
    try {
      const { MessageId = '' } = await this.#client.send(publish, { abortSignal });
      return { messageId: MessageId, isOne: false };
    } catch (error) {
      throw smsRefusal(smsError(error), to);
    }
  }

  /** @throws SmsOptedOutError */
  async #checkOptOut(phoneNumber: string, abortSignal: AbortSignal): Promise<void> {
    const check = new CheckIfPhoneNumberIsOptedOutCommand({ phoneNumber });
    const { isOptedOut } = await this.#client.send(check, { abortSignal }).catch((error: unknown) => {
      const told = smsRefusal(smsError(error), phoneNumber);
      // Nothing was sent, whatever became of the question.
      throw told instanceof AmbiguousError ? asError('passes', told.message, { cause: error }) : told;
    });
    if (isOptedOut === true) throw new SmsOptedOutError('SNS: the phone has opted out');
  }
}

const text = (StringValue: string): MessageAttributeValue => ({ DataType: 'String', StringValue });
