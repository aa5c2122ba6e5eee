/** The names of the secrets that mail takes, in the vault of each cloud (docs/notifications.md). */

export const mailSecrets = { user: 'mail-user', password: 'mail-password' } as const;

/** Signs the links by which a customer unsubscribes; at least 32 characters, the same at every site. */
export const UNSUBSCRIBE_KEY = 'unsubscribe-key';
