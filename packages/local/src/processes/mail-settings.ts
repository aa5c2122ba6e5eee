/** What the process with the mail server and the providers of SMS is started with. */
export interface MailSettings {
  readonly ports: Readonly<Record<'smtp' | 'web' | 'sns' | 'communication-services', number>>;
  /** Regions of the sites that send by SNS. */
  readonly regions: readonly string[];
  /** Where bounces, and SMS that do not arrive, are reported. */
  readonly bouncesTo: string;
  /** Who gives the token for that; absent: nobody is asked for one. */
  readonly issuer?: string;
  /** Whose secrets stand in place of `MAIL_SECRETS`; absolute. */
  readonly secretsFile: string;
}

/** In the vaults of every site of this machine, and what the mail server takes. No secrets: nothing leaves this machine. */
export const MAIL_SECRETS = {
  'mail-user': 'local',
  'mail-password': 'local',
  'unsubscribe-key': 'local-key-of-thirty-two-characters',
} as const;
