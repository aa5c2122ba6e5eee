/** What the steps of notifications ask of the mail server, asked of the one that is configured. */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { UNSUBSCRIBE_KEY } from '../../mail-secrets.ts';
import type { Mailer } from '../../ports/mail.ts';
import { MailRefusedError } from '../../ports/mail-errors.ts';
import type { Services } from '../../ports/services.ts';
import { unsubscribeToken } from '../../unsubscribe-token.ts';
import { stoppable } from './notice.ts';
import type { SendCall, Sent } from './send.ts';
import { addressHash } from './suppress.ts';
import { renderMail } from './templates.ts';

export interface Asked extends Pick<Services, 'secrets' | 'metrics'> {
  /** @throws UnavailableError where no mail server is configured. */
  readonly open: () => Mailer;
}

/** Returns the Message-ID: SMTP has no key. @throws what the mailer throws, and RefusedError for a mail that has a hole. */
export async function askMail(call: SendCall, { open, secrets, metrics }: Asked): Promise<Sent> {
  const { notificationId, to, content, isRepeat } = call;
  const mailer = open();
  const mayStop = stoppable.includes(content.kind);
  const url = mayStop
    ? `${mailer.linksUrl}/unsubscribe/${unsubscribeToken(addressHash(to), await secrets.get(UNSUBSCRIBE_KEY))}?language=${content.language}`
    : undefined;
  const messageId = `<${notificationId}@${mailer.domain}>`;
  const mail = {
    ...renderMail(content, url),
    messageId,
    to,
    headers: {
      // Mail programs that fold mails together go by it, and whoever looks for copies.
      'X-Entity-Ref-ID': notificationId,
      'Auto-Submitted': 'auto-generated',
      ...(url !== undefined && {
        'List-Unsubscribe': `<${url}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      }),
    },
  };
  try {
    await mailer.send(mail);
  } catch (error) {
    if (error instanceof MailRefusedError) metrics.record('MailsRefused');
    else if (error instanceof AmbiguousError || error instanceof UnavailableError)
      metrics.record('MailsDelayed');
    throw error;
  }
  metrics.record('MailsSent');
  if (isRepeat) metrics.record('MailsMaybeRepeated');
  return { messageId, isOne: false };
}

/** The notification whose mail has this Message-ID, with or without its brackets; undefined for what is no such id. */
export function notificationOf(messageId: string): string | undefined {
  return /^<?([^<>@\s]+)@[^<>@\s]+>?$/.exec(messageId)?.[1];
}
