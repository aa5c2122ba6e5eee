/** What the steps of notifications ask of the provider of SMS, asked of the one that is configured. */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { sha256, uuidOf } from '../../digest.ts';
import type { Services } from '../../ports/services.ts';
import type { SmsSender } from '../../ports/sms.ts';
import { SmsOptedOutError, SmsRefusedError } from '../../ports/sms-errors.ts';
import type { SendCall, Sent } from './send.ts';
import { renderSms } from './sms-templates.ts';

export interface AskedSms extends Pick<Services, 'metrics'> {
  /** @throws UnavailableError where no SMS is sent. */
  readonly open: () => SmsSender;
}

/** @throws what the sender throws, and RefusedError for a text that has a hole or is too long. */
export async function askSms(call: SendCall, { open, metrics }: AskedSms): Promise<Sent> {
  const { notificationId, to, content, isRepeat, key } = call;
  const sender = open();
  const text = renderSms(content, sender.name);
  try {
    const sent = await sender.send({
      ...{ to, text, tag: notificationId },
      key: { id: uuidOf(Buffer.from(sha256(key.name), 'hex')), firstSentMs: key.firstSentMs },
    });
    metrics.record('SmsSent');
    if (isRepeat) metrics.record('SmsMaybeRepeated');
    return sent;
  } catch (error) {
    if (error instanceof SmsOptedOutError || error instanceof SmsRefusedError) metrics.record('SmsRefused');
    else if (error instanceof AmbiguousError || error instanceof UnavailableError)
      metrics.record('SmsDelayed');
    throw error;
  }
}
