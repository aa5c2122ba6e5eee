/**
 * The operations of Secrets Manager that are served, each from its input to its output.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */
import { randomUUID } from 'node:crypto';
import { invalid, markedForDeletion, notFound, SecretsManagerError } from './errors.ts';
import { checkName, type Secret, type SecretsStore, type SecretValue, type Version } from './store.ts';

type Input = Readonly<Record<string, unknown>>;

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const VALUE_BYTES_MAX = 65_536;
const TOKEN_CHARS = { min: 32, max: 64 };
const DAY_MS = 86_400_000;
const RECOVERY_DAYS = { min: 7, max: 30 };

const OPERATIONS: Readonly<Record<string, (store: SecretsStore, input: Input) => unknown>> = {
  CreateSecret(store, input) {
    const name = checkName(input['Name'], 'name');
    const value = valueIn(input);
    const token = tokenIn(input);
    const secret = store.create(name);
    const version = value && store.put(secret, value, token);
    return { ARN: secret.arn, Name: name, ...(version && { VersionId: version.id }) };
  },

  PutSecretValue(store, input) {
    const secret = store.live(idIn(input));
    const value = valueIn(input);
    if (value === undefined) throw parameter('You must provide either SecretString or SecretBinary.');
    const labels = input['VersionStages'] as readonly string[] | undefined;
    const version = store.put(secret, value, tokenIn(input), labels);
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.id,
      VersionStages: [...version.labels],
    };
  },

  GetSecretValue(store, input) {
    const secret = store.live(idIn(input));
    const version = versionIn(secret, input);
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.id,
      VersionStages: [...version.labels],
      CreatedDate: version.createdMs / 1_000,
      ...version.value,
    };
  },

  DescribeSecret(store, input) {
    const secret = store.find(idIn(input));
    if (secret === undefined) throw notFound();
    const { arn, name, createdMs, deletionMs, versions } = secret;
    return {
      ARN: arn,
      Name: name,
      CreatedDate: createdMs / 1_000,
      ...(deletionMs !== undefined && { DeletedDate: deletionMs / 1_000 }),
      VersionIdsToStages: Object.fromEntries(versions.map(({ id, labels }) => [id, [...labels]])),
    };
  },

  DeleteSecret(store, input) {
    const { ForceDeleteWithoutRecovery: force, RecoveryWindowInDays: days } = input;
    if (force === true && days !== undefined) {
      throw parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
    }
    const window = days ?? RECOVERY_DAYS.max;
    if (typeof window !== 'number' || window < RECOVERY_DAYS.min || window > RECOVERY_DAYS.max) {
      throw parameter(
        `RecoveryWindowInDays value must be between ${RECOVERY_DAYS.min} and ${RECOVERY_DAYS.max} days (inclusive).`,
      );
    }
    const secret = store.find(idIn(input));
    if (secret === undefined) throw notFound();
    if (secret.deletionMs !== undefined && force !== true) throw markedForDeletion();
    secret.deletionMs = force === true ? store.now : store.now + window * DAY_MS;
    if (force === true) store.remove(secret);
    return { ARN: secret.arn, Name: secret.name, DeletionDate: secret.deletionMs / 1_000 };
  },

  RestoreSecret(store, input) {
    const secret = store.find(idIn(input));
    if (secret === undefined) throw notFound();
    secret.deletionMs = undefined;
    return { ARN: secret.arn, Name: secret.name };
  },
};

/** @throws SecretsManagerError */
export function runOperation(operation: string, store: SecretsStore, input: Input): unknown {
  const run = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
  if (run === undefined) throw new SecretsManagerError('UnknownOperationException', operation);
  return run(store, input);
}

/** Without the ARN's own characters a name is checked as one. */
function idIn(input: Input): string {
  const { SecretId: id } = input;
  if (typeof id === 'string' && id.startsWith('arn:')) return id;
  return checkName(id, 'secretId');
}

function tokenIn({ ClientRequestToken: token }: Input): string {
  if (token === undefined) return randomUUID();
  if (typeof token !== 'string' || token.length < TOKEN_CHARS.min || token.length > TOKEN_CHARS.max) {
    throw parameter(`ClientRequestToken must be ${TOKEN_CHARS.min}-${TOKEN_CHARS.max} characters long.`);
  }
  return token;
}

function valueIn({ SecretString, SecretBinary }: Input): SecretValue | undefined {
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw parameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (typeof SecretString === 'string') {
    checkSize(Buffer.byteLength(SecretString), 'secretString');
    return { SecretString };
  }
  if (typeof SecretBinary !== 'string') return undefined;
  checkSize(Buffer.from(SecretBinary, 'base64').length, 'secretBinary');
  return { SecretBinary };
}

function checkSize(bytes: number, member: string): void {
  if (bytes >= 1 && bytes <= VALUE_BYTES_MAX) return;
  const bound = bytes < 1 ? 'greater than or equal to 1' : `less than or equal to ${VALUE_BYTES_MAX}`;
  // The service does not repeat what is secret either.
  throw invalid(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length ${bound}`,
  );
}

/** By id, by label, or by both, which must then agree; else the current one. */
function versionIn(secret: Secret, { VersionId, VersionStage }: Input): Version {
  const id = textOr(VersionId, 'VersionId');
  const stage = textOr(VersionStage, 'VersionStage') ?? (id === undefined ? 'AWSCURRENT' : undefined);
  if (id === undefined) {
    const byStage = secret.versions.find(({ labels }) => labels.has(stage ?? ''));
    if (byStage === undefined) throw notFound(`staging label: ${stage ?? ''}`);
    return byStage;
  }
  const byId = secret.versions.find((one) => one.id === id);
  if (byId === undefined) throw notFound(`VersionId: ${id}`);
  if (stage !== undefined && !byId.labels.has(stage)) {
    throw new SecretsManagerError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  }
  return byId;
}

function textOr(value: unknown, member: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw parameter(`${member} must be a text.`);
}

function parameter(message: string): SecretsManagerError {
  return new SecretsManagerError('InvalidParameterException', message);
}
