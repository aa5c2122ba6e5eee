/** `tandem storefront publish`: the shop into a cloud's storage. */
import fs from 'node:fs';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { bundleStorefront } from '@tandem-clouds/storefront/build/bundle';
import { pagesFor, readConfig, type ShopConfig } from '@tandem-clouds/storefront/build/page';
import { publish, type Step } from './publication.ts';
import { ReplacedMeanwhileError, type ShopStorage } from './shop-storage.ts';

interface PublishInput {
  readonly cloud: 'aws' | 'azure';
  /** A bucket, or the URL of a storage account. */
  readonly to: string;
  readonly config: string;
  readonly region: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** @throws CommandError for a configuration with a mistake, a place that is not there, and whatever the cloud refuses. */
export async function publishStorefront(
  { cloud, to, config: file, region, dryRun, json }: PublishInput,
  { out }: CommandContext,
): Promise<number> {
  const config = readConfigFile(file);
  const assets = await bundleStorefront();
  const [page, site] = pagesFor(config, assets);
  if (page === undefined || site === undefined) throw new TypeError('a shop is a page and its configuration');
  const steps: Step[] = [];
  try {
    await publish(await open(cloud, to, region), {
      files: [...assets, site, page],
      dryRun,
      onStep: (step) => {
        steps.push(step);
        if (!json) out(line(step, dryRun));
      },
    });
  } catch (error) {
    throw refusal(error, { cloud, to });
  }
  if (json) out(JSON.stringify({ cloud, to, dryRun, steps }));
  else out(summary(steps, dryRun));
  return 0;
}

async function open(
  cloud: PublishInput['cloud'],
  to: string,
  region: string | undefined,
): Promise<ShopStorage> {
  if (cloud === 'aws') return new (await import('./s3-storage.ts')).S3ShopStorage(to, region);
  return new (await import('./blob-storage.ts')).BlobShopStorage(to);
}

function readConfigFile(file: string): ShopConfig {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandError(`--config: ${file} cannot be read`, { cause });
  }
  let config: ShopConfig;
  try {
    config = readConfig(JSON.parse(text));
  } catch (cause) {
    const reason =
      cause instanceof SyntaxError ? `it is no JSON: ${cause.message}` : (cause as Error).message;
    throw new CommandError(`--config ${file}: ${reason}`, { cause });
  }
  const mistakes = [
    ...config.sites.map(({ url }, index) => ({ field: `sites[${index}].url`, url })),
    ...config.pictures.map((url, index) => ({ field: `pictures[${index}]`, url })),
  ].flatMap(({ field, url }) =>
    isTrustworthy(url) ? [] : [`${field} must begin with https, for a page that comes by https: ${url}`],
  );
  if (mistakes.length > 0) throw new CommandError(`--config ${file}: ${mistakes.join('; ')}`);
  return config;
}

/** What a page that came by TLS may ask. @see https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy */
function isTrustworthy(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' || hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]'
  );
}

/** What a person can do about it; anything else as the SDK says it. */
function refusal(error: unknown, { cloud, to }: Pick<PublishInput, 'cloud' | 'to'>): Error {
  if (!(error instanceof Error)) return new CommandError(String(error));
  if (error instanceof ReplacedMeanwhileError)
    return new CommandError('somebody else has published meanwhile; the shop is theirs. Publish again', {
      cause: error,
    });
  const { code, message } = error as Error & { code?: unknown };
  const name = typeof code === 'string' ? code : error.name;
  const hint = own(HINTS, name) ?? '';
  return new CommandError(
    `${cloud === 'aws' ? `bucket ${to}` : to}: ${name}: ${message.split('\n', 1)[0] ?? ''}${hint}`,
    { cause: error },
  );
}

const NOT_DEPLOYED = '. Deploy the feature storefront first (docs/storefront.md, Deployed)';
const NO_RIGHT = '. Publishing takes rights of its own (docs/storefront.md, Deployed)';
const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: NOT_DEPLOYED,
  ContainerNotFound: NOT_DEPLOYED,
  AccessDenied: NO_RIGHT,
  AuthorizationPermissionMismatch: NO_RIGHT,
  AuthorizationFailure: NO_RIGHT,
  CredentialsProviderError: '. Sign in to AWS first',
  CredentialUnavailableError: '. Sign in first: az login',
  AggregateAuthenticationError: '. Sign in first: az login',
};
const own = (record: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const DONE = { write: 'written', keep: 'unchanged', remove: 'removed' } as const;
const PLANNED = { write: 'would be written', keep: 'unchanged', remove: 'would be removed' } as const;

function line({ action, name, bytes }: Step, dryRun: boolean): string {
  const size = bytes === undefined ? '' : `, ${bytes} bytes`;
  return `${name}: ${(dryRun ? PLANNED : DONE)[action]}${size}`;
}

function summary(steps: readonly Step[], dryRun: boolean): string {
  const changes = steps.filter(({ action }) => action !== 'keep').length;
  if (changes === 0) return 'the shop is as it was published';
  return dryRun ? `${changes} changes; nothing was changed` : 'the shop is published';
}
