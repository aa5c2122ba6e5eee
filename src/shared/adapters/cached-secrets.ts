/**
 * Secrets of a vault, kept: the vault is asked for one name once every few minutes, whoever asks here and however often.
 *
 * Invariants: of one name at most one read is under way, and one more for a value that was refused; what is kept is bounded
 * in number and in time; a value that the vault says is gone is not given any more. Nothing but the caller is given a value.
 */
import { AppError } from '@tandem-clouds/replication/errors';
import {
  secretAbsentMs,
  secretFreshness,
  secretRefreshPauseMs,
  secretsKeptMax,
  secretStaleMs,
} from '../bounds.ts';
import { SecretDeniedError, SecretMissingError } from '../errors.ts';
import { type Dated, type FreshnessBounds, keepFresh } from '../keep-fresh.ts';
import type { Secrets, Vault } from '../ports/secrets.ts';

/**
 * What both vaults take, and tell apart: Key Vault knows letters, digits and dashes, and not their case; 127 at most.
 * @see https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name
 */
const NAME = /^(?=.{1,127}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;

export interface CachedSecretsOptions {
  readonly vault: Vault;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly freshness?: FreshnessBounds;
}

/** Values that may be read here, for whoever keeps them out of a log. */
export interface HeldSecrets extends Secrets {
  held(): readonly string[];
}

/** What the vault has said. That there is none is an answer too. */
type Answer = { readonly value: string } | { readonly refusal: AppError };

interface Entry {
  readonly read: () => Promise<Dated<Answer>>;
  /** When its first read began. */
  readonly sinceMs: number;
  last?: string;
}

export function cachedSecrets(options: CachedSecretsOptions): HeldSecrets {
  const { vault, now = Date.now, freshness = secretFreshness } = options;
  /** The one that was used last is the last. */
  const entries = new Map<string, Entry>();
  const refreshing = new Map<string, Promise<string>>();

  const newEntry = (name: string): Entry => {
    const fetch = async (): Promise<Dated<Answer>> => {
      const answer = await ask(vault, name);
      const goodMs = 'value' in answer ? secretStaleMs : freshness.renewMs + secretAbsentMs;
      return { value: answer, expiresAtMs: now() + goodMs };
    };
    return { read: keepFresh(fetch, freshness, now), sinceMs: now() };
  };

  const use = (name: string, entry: Entry): void => {
    entries.delete(name);
    entries.set(name, entry);
    const [oldest] = entries.keys();
    if (entries.size > secretsKeptMax && oldest !== undefined) entries.delete(oldest);
  };

  const valueOf = async (entry: Entry): Promise<string> => {
    const { value: answer } = await entry.read();
    if ('refusal' in answer) {
      delete entry.last;
      throw answer.refusal;
    }
    entry.last = answer.value;
    return answer.value;
  };

  const get = (name: string): Promise<string> => {
    const entry = entries.get(name) ?? newEntry(name);
    use(name, entry);
    return valueOf(entry);
  };

  /** The old value stays for others until the new one is here. */
  const replace = async (name: string): Promise<string> => {
    const entry = newEntry(name);
    try {
      const value = await valueOf(entry);
      use(name, entry);
      return value;
    } catch (error) {
      if (isAnswer(error)) use(name, entry);
      throw error;
    } finally {
      refreshing.delete(name);
    }
  };

  return {
    async get(name) {
      checkName(name);
      return get(name);
    },
    async refresh(name, refused) {
      checkName(name);
      const entry = entries.get(name);
      if (entry !== undefined) {
        const isNew = Math.abs(now() - entry.sinceMs) < secretRefreshPauseMs;
        if (isNew || (entry.last !== undefined && entry.last !== refused)) return get(name);
      }
      const under = refreshing.get(name) ?? replace(name);
      refreshing.set(name, under);
      return under;
    },
    held: () => [...entries.values()].flatMap(({ last }) => (last === undefined ? [] : [last])),
  };
}

async function ask(vault: Vault, name: string): Promise<Answer> {
  try {
    return { value: await vault.read(name) };
  } catch (error) {
    if (isAnswer(error)) return { refusal: error };
    throw error;
  }
}

/** The vault has answered that this function gets no value: an older one must not be used either. */
function isAnswer(error: unknown): error is AppError {
  return error instanceof SecretMissingError || error instanceof SecretDeniedError;
}

/** @throws RangeError */
function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new RangeError(
    `'${name}' is no name of a secret: lower-case letters, digits and single dashes, 127 at most, such as stripe-key`,
  );
}

/** What every vault says of a secret that is not there. */
export function missingSecret(vault: Vault, name: string, where: string, cause: unknown): SecretMissingError {
  const variable = `SECRET_${name.toUpperCase().replaceAll('-', '_')}`;
  return new SecretMissingError(
    `the secret '${name}' is not at ${where}. Set it: ${vault.howToSet(name)}; on this machine: ${variable}=… in .env`,
    { cause },
  );
}
