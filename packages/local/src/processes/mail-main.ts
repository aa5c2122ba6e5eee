/**
 * The mail server and the providers of SMS in a process of its own, which outlives every site: what was sent does not go with a
 * cloud. Each is loaded when somebody first connects. Its argument is a `MailSettings` as JSON.
 */
import fs from 'node:fs';
import { FAULTS_PATH } from '@tandem-clouds/emulators/core/control';
import { secretsIn } from '@tandem-clouds/emulators/core/secrets-file';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { SmsBox } from '@tandem-clouds/emulators/sms/sms-box';
import type { SmtpEmulator } from '@tandem-clouds/emulators/smtp/server';
import { endAtStart } from '../exit-codes.ts';
import { HOST } from '../ports.ts';
import { announce } from '../run-registry.ts';
import { listenLazily } from './lazy-server.ts';
import { MAIL_SECRETS, type MailSettings } from './mail-settings.ts';

/** Of `POST /notifications/bounces`. */
const BOUNCES_SCOPE = 'shop/notifications';

/** What the sites have in their vaults: the file says otherwise, or not. */
function secretsOf({ secretsFile }: MailSettings): Record<keyof typeof MAIL_SECRETS, string> {
  const text = fs.existsSync(secretsFile) ? fs.readFileSync(secretsFile, 'utf8') : '';
  return { ...MAIL_SECRETS, ...Object.fromEntries(secretsIn(text)) };
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as MailSettings;
  const { ports, bouncesTo, issuer, regions } = settings;
  // Shown beside the mails, whichever provider was given them.
  const box = new SmsBox();
  let opened: Promise<SmtpEmulator> | undefined;
  const open = (): Promise<SmtpEmulator> =>
    (opened ??= (async () => {
      const { startSmtp } = await import('@tandem-clouds/emulators/smtp/server');
      const { 'mail-user': user, 'mail-password': password } = secretsOf(settings);
      const bouncesToken = issuer === undefined ? undefined : () => queryToken(issuer, BOUNCES_SCOPE);
      return startSmtp({ user, password, bouncesTo, bouncesToken, sms: box });
    })());
  const smtp = await listenLazily(ports.smtp, open);
  const web = await listenLazily(ports.web, async () => {
    const server = await open();
    return { accept: (socket) => server.acceptWeb(socket), close: () => server.close() };
  });
  const sns = await listenLazily(ports.sns, async () => {
    const { startSns } = await import('@tandem-clouds/emulators/sns/server');
    return startSns({ region: regions, box });
  });
  const communication = await listenLazily(ports['communication-services'], async () => {
    const { startCommunicationServices } =
      await import('@tandem-clouds/emulators/communication-services/server');
    return startCommunicationServices({ box, reportsTo: bouncesTo });
  });
  const servers = [smtp, web, sns, communication];
  const stop = (): void => {
    void Promise.allSettled(servers.map((server) => server.close())).finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const [url, snsUrl, communicationUrl] = [web, sns, communication].map(
    ({ port }) => `http://${HOST}:${port}`,
  );
  announce('mail', {
    smtp: `smtp://${HOST}:${smtp.port}`,
    web: url ?? '',
    sns: snsUrl ?? '',
    communicationServices: communicationUrl ?? '',
    'smtp.faults': `${url ?? ''}${FAULTS_PATH}`,
    'sns.faults': `${snsUrl ?? ''}${FAULTS_PATH}`,
    'communicationServices.faults': `${communicationUrl ?? ''}${FAULTS_PATH}`,
  });
}

main().catch(endAtStart);
