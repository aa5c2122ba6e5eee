/** Sending one SMS (docs/notifications.md). */

/** Under which a provider that knows keys sends one SMS, however often it is called. */
export interface SmsKey {
  /** UUID. */
  readonly id: string;
  /** When it was first used, epoch milliseconds: what it says must be so at every use. */
  readonly firstSentMs: number;
}

export interface Sms {
  /** E.164: `+4915123456789`. */
  readonly to: string;
  readonly text: string;
  readonly key: SmsKey;
  /** What reports of the provider name it by, where they can. */
  readonly tag: string;
}

export interface SentSms {
  /** The provider's name of it. */
  readonly messageId: string;
  /** Whether all attempts under its key are this one SMS. */
  readonly isOne: boolean;
}

/** Returns when a provider has taken the SMS over. */
export interface SmsSender {
  /** What begins each text: who writes. */
  readonly name: string;
  /**
   * @throws SmsOptedOutError when its recipient wants none. @throws SmsRefusedError when it will never be taken.
   * @throws UnavailableError, ThrottledError when it has not been taken now. @throws AmbiguousError when it may have been.
   */
  send(sms: Sms): Promise<SentSms>;
}
