/**
 * The secrets of one vault, and their versions.
 *
 * Invariants: the current version is the one that was set last; a deleted secret keeps its name until it is purged or
 * recovered; names differ in more than their case. What a file holds (`core/secrets-file.ts`) is set as a new version when
 * it changes, and goes with it.
 */
import { randomBytes } from 'node:crypto';
import { type FileSecrets, watchSecretsFile } from '../core/secrets-file.ts';
import { badParameter, KeyVaultError, secretNotFound } from './errors.ts';

const NAME = /^[0-9a-zA-Z-]{1,127}$/;
/** "25 KB" is what is published; of the two readings the smaller one, so that nothing passes here that fails there. */
const VALUE_BYTES_MAX = 25_000;
const VERSIONS_MAX = 500;
const TAGS_MAX = 15;
const CONTENT_TYPE_CHARS_MAX = 255;

export interface Attributes {
  readonly enabled: boolean;
  readonly nbf?: number | undefined;
  readonly exp?: number | undefined;
}

export interface Version {
  readonly id: string;
  readonly value: string;
  readonly createdMs: number;
  updatedMs: number;
  attributes: Attributes;
  readonly contentType?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface Secret {
  /** As it was first written. */
  readonly name: string;
  /** Oldest first. */
  readonly versions: Version[];
  deletedMs?: number | undefined;
  /** Its value as the file has it. */
  inFile?: string | undefined;
}

export interface VaultStoreOptions {
  readonly now: () => number;
  /** Absolute. */
  readonly secretsFile?: string | undefined;
  /** Values by name that are there beside the file, which wins. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

export class VaultStore {
  readonly now: () => number;
  readonly #secrets = new Map<string, Secret>();
  readonly #changedFile: () => FileSecrets | undefined;

  constructor({ now, secretsFile, secrets }: VaultStoreOptions) {
    this.now = now;
    this.#changedFile = watchSecretsFile(secretsFile, secrets);
  }

  /** @throws KeyVaultError when there is none, or it is deleted. */
  live(name: string): Secret {
    const secret = this.#find(name);
    if (secret === undefined || secret.deletedMs !== undefined) throw secretNotFound(name);
    return secret;
  }

  /** @throws KeyVaultError when there is none that was deleted. */
  deleted(name: string): Secret {
    const secret = this.#find(name);
    if (secret?.deletedMs === undefined) throw secretNotFound(name);
    return secret;
  }

  /** @throws KeyVaultError */
  set(name: string, input: Readonly<Record<string, unknown>>): { secret: Secret; version: Version } {
    const { value, contentType, tags } = input;
    const existing = this.#find(name);
    if (existing?.deletedMs !== undefined) throw inUse(name);
    if (typeof value !== 'string') throw badParameter('The property value is required.');
    if (Buffer.byteLength(value) > VALUE_BYTES_MAX) {
      throw badParameter(`The value of the secret has more than ${VALUE_BYTES_MAX} bytes.`);
    }
    if (typeof contentType === 'string' && contentType.length > CONTENT_TYPE_CHARS_MAX) {
      throw badParameter(`contentType has more than ${CONTENT_TYPE_CHARS_MAX} characters.`);
    }
    if (Object.keys((tags as object | undefined) ?? {}).length > TAGS_MAX) {
      throw badParameter(`A secret has at most ${TAGS_MAX} tags.`);
    }
    const secret = existing ?? { name, versions: [] };
    this.#secrets.set(name.toLowerCase(), secret);
    if (secret.versions.length >= VERSIONS_MAX) secret.versions.shift();
    const atMs = this.now();
    const version: Version = {
      id: randomBytes(16).toString('hex'),
      value,
      createdMs: atMs,
      updatedMs: atMs,
      attributes: attributesIn(input['attributes']),
      contentType: contentType as string | undefined,
      tags: tags as Record<string, string> | undefined,
    };
    secret.versions.push(version);
    return { secret, version };
  }

  /** @throws KeyVaultError */
  version(secret: Secret, id: string): Version {
    const version = id === '' ? secret.versions.at(-1) : secret.versions.find((one) => one.id === id);
    if (version === undefined) throw secretNotFound(`${secret.name}/${id}`);
    return version;
  }

  purge(secret: Secret): void {
    this.#secrets.delete(secret.name.toLowerCase());
  }

  #find(name: string): Secret | undefined {
    if (!NAME.test(name)) throw badParameter(`The request URI contains an invalid name: ${name}`);
    this.#readFile();
    return this.#secrets.get(name.toLowerCase());
  }

  #readFile(): void {
    const inFile = this.#changedFile();
    if (inFile === undefined) return;
    for (const secret of [...this.#secrets.values()]) {
      if (secret.inFile !== undefined && !inFile.has(secret.name)) this.purge(secret);
    }
    for (const [name, value] of inFile) {
      const known = this.#secrets.get(name.toLowerCase());
      if (known?.inFile === value) continue;
      if (known !== undefined) known.deletedMs = undefined;
      try {
        this.set(name, { value }).secret.inFile = value;
      } catch (error) {
        console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** @see https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview */
function inUse(name: string): KeyVaultError {
  return new KeyVaultError(
    409,
    'Conflict',
    `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
    { inner: 'ObjectIsDeletedButRecoverable' },
  );
}

/** @throws KeyVaultError */
export function attributesIn(input: unknown, before: Attributes = { enabled: true }): Attributes {
  const {
    enabled = before.enabled,
    nbf = before.nbf,
    exp = before.exp,
  } = (input ?? {}) as Partial<Record<keyof Attributes, unknown>>;
  if (typeof enabled !== 'boolean') throw badParameter('attributes.enabled must be a boolean.');
  for (const [name, time] of Object.entries({ nbf, exp })) {
    if (time !== undefined && !Number.isInteger(time))
      throw badParameter(`attributes.${name} must be a number.`);
  }
  return { enabled, nbf: nbf as number | undefined, exp: exp as number | undefined };
}
