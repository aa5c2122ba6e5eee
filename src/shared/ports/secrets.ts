/**
 * Values that nobody may read in the code or in the configuration: keys of providers, passwords. They are in the vault of
 * each cloud, and locally in `.env` (docs/handlers.md).
 *
 * Invariant: a value is in no message of an error and in no line of a log.
 */

/** What handlers use. Names: lower-case letters, digits and single dashes, such as `stripe-key`. */
export interface Secrets {
  /**
   * The value, kept for a few minutes (`secretFreshness` in bounds.ts), so that a new version is seen within that time.
   * While the vault does not answer, the value that was read last is given for a bounded time.
   * @throws SecretMissingError when the vault has none, with what to do; SecretDeniedError when this function may not read
   * it; UnavailableError or another error of the vault; RangeError for a name that one of the vaults would not take.
   */
  get(name: string): Promise<string>;
  /**
   * The value that replaces one that its provider has refused (401): asks the vault at once, unless another call has done
   * so since, or just before. The same value again: the vault has no newer one.
   * @throws as `get`
   */
  refresh(name: string, refused: string): Promise<string>;
}

/** One read of the vault of a cloud: what the adapters are. */
export interface Vault {
  /** @throws SecretMissingError, SecretDeniedError, or another AppError */
  read(name: string): Promise<string>;
  /** How a person sets it there: a command. */
  howToSet(name: string): string;
}
