/** What a customer was written about an order: what the sites have of it, and what has arrived. */
import type { JSX } from 'preact';
import type { Sms } from '@tandem-clouds/emulators/sms/sms-box';
import type { Mail } from '@tandem-clouds/emulators/smtp/mailbox';
import { ask, ofSite, query } from '../api.ts';
import { facts } from '../live.ts';
import { useLoaded } from '../loaded.ts';
import { Badge, chosenSite, Moment, Shown, Table } from '../parts/parts.tsx';

const AGAIN_MS = 3_000;

/** As `GET /notifications` has it. */
interface Notification {
  readonly notificationId: string;
  readonly kind: string;
  readonly channel?: string;
  readonly to: string;
  readonly status: string;
  readonly messageId?: string;
  readonly sentMs?: number;
  readonly site?: string;
  readonly detail?: string;
}

export function Messages({ orderId }: { orderId: string }): JSX.Element {
  const site = chosenSite();
  const loaded = useLoaded(
    `notifications ${site ?? ''} ${orderId}`,
    async (signal): Promise<readonly Notification[]> => {
      if (site === undefined) return [];
      const path = `notifications${query({ orderId })}`;
      return (await ofSite<{ items: readonly Notification[] }>(site, path, { signal })).items;
    },
    AGAIN_MS,
  );
  return (
    <section>
      <h2>Mails and SMS</h2>
      <Shown loaded={loaded}>
        {(notifications) => (
          <>
            <Table
              caption="Notifications"
              rows={notifications}
              keyOf={({ notificationId }) => notificationId}
              none="Nobody was written to."
              columns={[
                { name: 'About', cell: ({ kind }) => kind },
                { name: 'By', cell: ({ channel = 'mail' }) => channel },
                { name: 'To', cell: ({ to }) => to },
                {
                  name: 'State',
                  cell: ({ status, detail }) => (
                    <>
                      <Badge kind={status === 'sent' ? 'good' : 'neutral'} text={status} />{' '}
                      <small>{detail}</small>
                    </>
                  ),
                },
                { name: 'Sent', cell: ({ sentMs }) => <Moment at={sentMs} /> },
                { name: 'By the site', cell: ({ site: by = '—' }) => by },
              ]}
            />
            {facts.value?.mode === 'local' && <Arrived orderId={orderId} notifications={notifications} />}
          </>
        )}
      </Shown>
    </section>
  );
}

interface Box<T> {
  readonly items: readonly T[];
}

/** In the mailbox and the telephone of the stack on this machine. */
function Arrived({
  orderId,
  notifications,
}: {
  orderId: string;
  notifications: readonly Notification[];
}): JSX.Element {
  const loaded = useLoaded(
    'arrived',
    async (signal) => {
      const [mails, sms] = await Promise.all([
        ask<Box<Mail>>('/api/mails', { signal }),
        ask<Box<Sms>>('/api/sms', { signal }),
      ]);
      return { mails: mails.items, sms: sms.items };
    },
    AGAIN_MS,
  );
  const ids = new Set(notifications.flatMap(({ messageId }) => messageId ?? []));
  return (
    <Shown loaded={loaded}>
      {({ mails, sms }) => {
        const arrivedMails = mails.filter(({ messageId }) => messageId.includes(`${orderId}~`));
        const arrivedSms = sms.filter(({ messageId }) => ids.has(messageId));
        return (
          <div class="beside">
            {arrivedMails.map(({ id, subject, to, at, copies, text }) => (
              <article key={`mail ${id}`} class="card">
                <h3>{subject}</h3>
                <p class="muted">
                  Mail to {to}, <Moment at={at} />
                  {copies > 1 && `, ${copies} times`}
                </p>
                <pre class="json" tabIndex={0} role="region" aria-label={`Mail: ${subject}`}>
                  {text.slice(0, 5_000)}
                </pre>
              </article>
            ))}
            {arrivedSms.map(({ id, to, at, text, copies, parts }) => (
              <article key={`sms ${id}`} class="card">
                <h3>SMS to {to}</h3>
                <p class="muted">
                  <Moment at={at} />, of {parts} {parts === 1 ? 'part' : 'parts'}
                  {copies > 1 && `, ${copies} times`}
                </p>
                <pre class="json" tabIndex={0} role="region" aria-label={`SMS to ${to}`}>
                  {text.slice(0, 2_000)}
                </pre>
              </article>
            ))}
          </div>
        );
      }}
    </Shown>
  );
}
