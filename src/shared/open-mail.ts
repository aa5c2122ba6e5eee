/**
 * The composition of the mail server that a site is configured with. A module of its own: a function that does not import it has
 * no nodemailer in its bundle.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { SmtpMailer } from './adapters/mail/smtp.ts';
import { mailSecrets } from './mail-secrets.ts';
import type { Mailer } from './ports/mail.ts';
import type { Services } from './ports/services.ts';
import type { Runtime } from './runtime.ts';

/** @throws UnavailableError where no mail server is configured. */
export type OpenMail = (services: Pick<Services, 'secrets'>) => Mailer;

const SUBMISSION_PORTS = { 'smtps:': 465, 'smtp:': 587 } as const;
const LOOPBACK = new Set(['127.0.0.1', 'localhost']);

/** Opened once per process. Nothing is read and nobody is called before somebody sends. */
export function openMail({ config }: Runtime): OpenMail {
  const { mail } = config;
  return ({ secrets }) => {
    if (mail === undefined)
      throw new UnavailableError('this site sends no mail: set TANDEM_MAIL_URL (docs/notifications.md)');
    const { protocol, hostname, port } = new URL(mail.url);
    const isTls = protocol === 'smtps:';
    return new SmtpMailer({
      host: hostname,
      port: port === '' ? SUBMISSION_PORTS[isTls ? 'smtps:' : 'smtp:'] : Number(port),
      security: securityOf(isTls, hostname),
      from: mail.from,
      linksUrl: mail.linksUrl,
      credentials: async () => {
        const [user, password] = await Promise.all([
          secrets.get(mailSecrets.user),
          secrets.get(mailSecrets.password),
        ]);
        return { user, password };
      },
      refreshCredentials: async (refused) => {
        const [user, password] = await Promise.all([
          secrets.refresh(mailSecrets.user, refused.user),
          secrets.refresh(mailSecrets.password, refused.password),
        ]);
        return { user, password };
      },
    });
  };
}

/** Without TLS nothing leaves this machine. */
function securityOf(isTls: boolean, host: string): 'tls' | 'starttls' | 'none' {
  if (isTls) return 'tls';
  return LOOPBACK.has(host) ? 'none' : 'starttls';
}
