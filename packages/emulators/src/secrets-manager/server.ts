/**
 * A local Secrets Manager: the real `@aws-sdk/client-secrets-manager` 3.x talks to it.
 *
 * Secrets with their versions and labels, deletion with a recovery window. Not there: rotation by a function, replication,
 * tags, resource policies, encryption, lists. Everything is in memory; what must be there at a start comes from a file
 * (`core/secrets-file.ts`).
 *
 * Faults name the API action (`GetSecretValue`) and the secret's id as it was asked for.
 */
import { type AwsJsonService, startAwsJsonServer } from '../core/aws-json-server.ts';
import type { Emulator } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { SecretsManagerError, wireErrorOf } from './errors.ts';
import { runOperation } from './operations.ts';
import { SecretsStore } from './store.ts';

/**
 * Ours: the longest value, whose bytes take six in JSON at most, and room for the rest.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
export const REQUEST_BYTES_MAX = 512 * 1024;

export interface SecretsManagerOptions {
  readonly port?: number;
  readonly now?: () => number;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Default `000000000000`. */
  readonly account?: string;
  /** A `.env` file whose secrets are here; absolute. */
  readonly secretsFile?: string | undefined;
  /** Values by name that are there beside the file, which wins. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** What stands before the names of those, with a slash between. */
  readonly prefix?: string | undefined;
}

export async function startSecretsManager(options: SecretsManagerOptions = {}): Promise<Emulator> {
  const { port = 0, now = Date.now, region = 'us-east-1', account = '000000000000' } = options;
  const { secretsFile, secrets, prefix } = options;
  const store = new SecretsStore({ region, account, now, secretsFile, secrets, prefix });
  const faults = new Faults();
  const usage = new UsageMeter();
  const idOf = ({ SecretId, Name }: Record<string, unknown>): string => {
    const id = SecretId ?? Name;
    return typeof id === 'string' ? id : '';
  };
  const service: AwsJsonService = {
    version: '1.1',
    bodyBytesMax: REQUEST_BYTES_MAX,
    tooLarge: () => wireErrorOf('ValidationException', 'A secret value has 65,536 bytes at most.'),
    faults,
    usage,
    resources: (_operation, input) => [idOf(input)],
    handle: ({ operation, input }) => {
      const output = runOperation(operation, store, input);
      usage.add(idOf(input), operation, { requests: 1 });
      return Promise.resolve(output);
    },
    describeError: (error) =>
      error instanceof SecretsManagerError ? wireErrorOf(error.code, error.message) : undefined,
    injectedError: (code = 'ThrottlingException') => wireErrorOf(code, `${code}, injected by a fault rule`),
  };
  const server = await startAwsJsonServer(port, service);
  let closed: Promise<void> | undefined;
  return {
    endpoint: server.endpoint,
    port: server.port,
    faults,
    close: () => (closed ??= server.close()),
  };
}
