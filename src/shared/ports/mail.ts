/** Sending one mail (docs/notifications.md). */

export interface Mail {
  /** `<local@domain>`: the same at every attempt, by which copies are told from other mails. */
  readonly messageId: string;
  /** One address, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Beside those that follow from the members above. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Returns when a server has taken the mail over. SMTP has no key that makes a second copy harmless: what was taken over, and
 * whose answer was lost, is taken over again.
 */
export interface Mailer {
  /** What stands behind the `@` of its Message-IDs. */
  readonly domain: string;
  /** Base address of the site's own API, as its customers reach it. */
  readonly linksUrl: string;
  /**
   * @throws MailRefusedError when the server will never take it. @throws UnavailableError when it has not taken it now.
   * @throws AmbiguousError when it may have taken it.
   */
  send(mail: Mail): Promise<void>;
}
