/**
 * The secrets of one account in one region, and their versions.
 *
 * Invariants: a label is on one version of a secret; `AWSCURRENT` moves to what is put, and `AWSPREVIOUS` to where it was.
 * What a file holds (`core/secrets-file.ts`) is put as a new version when it changes, and goes with it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type FileSecrets, watchSecretsFile } from '../core/secrets-file.ts';
import { alreadyExists, invalid, markedForDeletion, notFound, SecretsManagerError } from './errors.ts';

/**
 * Versions without a label that a secret keeps, beside those of the last 24 hours.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const VERSIONS_MAX = 100;
const VERSION_KEPT_MS = 86_400_000;
/** Of a name in an ARN: a dash and six characters that the service chooses. */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

export interface Version {
  readonly id: string;
  readonly value: SecretValue;
  readonly createdMs: number;
  readonly labels: Set<string>;
}

export type SecretValue = { readonly SecretString: string } | { readonly SecretBinary: string };

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly createdMs: number;
  /** Oldest first. */
  readonly versions: Version[];
  /** When it is removed; undefined while it is not marked for deletion. */
  deletionMs?: number | undefined;
  /** Its value as the file has it. */
  inFile?: string | undefined;
}

export interface SecretsStoreOptions {
  readonly region: string;
  readonly account: string;
  readonly now: () => number;
  /** Absolute; its secrets are here as `<prefix>/<name>`. */
  readonly secretsFile?: string | undefined;
  /** Values by name that are there beside the file, which wins. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  readonly prefix?: string | undefined;
}

export class SecretsStore {
  readonly #options: SecretsStoreOptions;
  readonly #secrets = new Map<string, Secret>();
  readonly #changedFile: () => FileSecrets | undefined;

  constructor(options: SecretsStoreOptions) {
    this.#options = options;
    this.#changedFile = watchSecretsFile(options.secretsFile, options.secrets);
  }

  get now(): number {
    return this.#options.now();
  }

  /** @param id A name, an ARN, or an ARN without the characters that the service has added. */
  find(id: string): Secret | undefined {
    this.#settle();
    if (!id.startsWith('arn:')) return this.#secrets.get(id);
    const all = [...this.#secrets.values()];
    return all.find(({ arn }) => arn === id) ?? all.find(({ arn }) => arn.replace(SUFFIX, '') === id);
  }

  /** @throws SecretsManagerError when there is none, or it is marked for deletion. */
  live(id: string): Secret {
    const secret = this.find(id);
    if (secret === undefined) throw notFound();
    if (secret.deletionMs !== undefined) throw markedForDeletion();
    return secret;
  }

  create(name: string): Secret {
    this.#settle();
    const there = this.#secrets.get(name);
    if (there?.deletionMs !== undefined) {
      throw new SecretsManagerError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    if (there !== undefined) throw alreadyExists(name);
    return this.#make(name);
  }

  /** @param token The id of the version, which makes the call safe to repeat. */
  put(
    secret: Secret,
    value: SecretValue,
    token: string,
    labels: readonly string[] = ['AWSCURRENT'],
  ): Version {
    const same = secret.versions.find(({ id }) => id === token);
    if (same !== undefined) {
      if (JSON.stringify(same.value) === JSON.stringify(value)) return same;
      throw new SecretsManagerError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const version = { id: token, value, createdMs: this.now, labels: new Set<string>() };
    secret.versions.push(version);
    for (const label of labels) this.#move(secret, label, version);
    const bare = secret.versions.filter((one) => one.labels.size === 0);
    for (const old of bare.slice(0, Math.max(0, bare.length - VERSIONS_MAX))) {
      if (this.now - old.createdMs >= VERSION_KEPT_MS)
        secret.versions.splice(secret.versions.indexOf(old), 1);
    }
    return version;
  }

  #move(secret: Secret, label: string, to: Version): void {
    const from = secret.versions.find(({ labels }) => labels.has(label));
    from?.labels.delete(label);
    to.labels.add(label);
    if (label !== 'AWSCURRENT' || from === undefined || from === to) return;
    for (const { labels } of secret.versions) labels.delete('AWSPREVIOUS');
    from.labels.add('AWSPREVIOUS');
  }

  remove(secret: Secret): void {
    this.#secrets.delete(secret.name);
  }

  #make(name: string): Secret {
    const { region, account } = this.#options;
    const suffix = randomBytes(3).toString('hex');
    const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
    const secret: Secret = { name, arn, createdMs: this.now, versions: [] };
    this.#secrets.set(name, secret);
    return secret;
  }

  /** What time and the file have changed. */
  #settle(): void {
    for (const secret of [...this.#secrets.values()]) {
      if (secret.deletionMs !== undefined && secret.deletionMs <= this.now) this.remove(secret);
    }
    const inFile = this.#changedFile();
    if (inFile === undefined) return;
    const { prefix } = this.#options;
    const named = new Map(
      [...inFile].map(([name, value]) => [prefix === undefined ? name : `${prefix}/${name}`, value]),
    );
    for (const secret of [...this.#secrets.values()]) {
      if (secret.inFile !== undefined && !named.has(secret.name)) this.remove(secret);
    }
    for (const [name, value] of named) {
      const secret = this.#secrets.get(name) ?? this.#make(name);
      if (secret.inFile === value) continue;
      secret.inFile = value;
      secret.deletionMs = undefined;
      this.put(secret, { SecretString: value }, randomUUID());
    }
  }
}

const NAME = /^[A-Za-z0-9/_+=.@!-]+$/;
const NAME_CHARS_MAX = 512;

/** @throws SecretsManagerError */
export function checkName(name: unknown, member: string): string {
  if (typeof name !== 'string' || name === '') {
    throw invalid(
      `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length greater than or equal to 1`,
    );
  }
  if (name.length > NAME_CHARS_MAX) {
    throw invalid(
      `1 validation error detected: Value '${name}' at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${NAME_CHARS_MAX}`,
    );
  }
  if (!NAME.test(name)) {
    throw invalid(
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
  }
  return name;
}
