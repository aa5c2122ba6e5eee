/** Where archives, objects and records are: those of the stack on this machine, or at the clouds, with the credentials of this shell. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CosmosClient } from '@azure/cosmos';
import { DefaultAzureCredential } from '@azure/identity';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { readStack, type StackSite } from '@tandem-clouds/command-line/running-stack';
import { BACKUP, OBJECTS } from '@tandem-clouds/local/processes/emulators-settings';
import { openSiteStore, type SiteStore } from '@tandem-clouds/local/stack/site-store';
import { blobConnection } from '@tandem-clouds/local/stack/topology';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { openS3Objects } from '../../src/shared/adapters/aws/open-objects.ts';
import { DynamoStore } from '../../src/shared/adapters/aws/store.ts';
import { openBlobObjects } from '../../src/shared/adapters/azure/open-objects.ts';
import { CosmosStore } from '../../src/shared/adapters/azure/store.ts';
import type { ArchiveStorage } from '../../src/shared/backup/storage.ts';
import { indexEntries } from '../../src/shared/domain/indexes/index-entry.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { storeIndexes } from '../../src/shared/registry/indexes.ts';
import { FolderStorage } from './folder-storage.ts';

/** What a person names it by, and what it is. */
export interface Place<Opened> {
  readonly name: string;
  readonly opened: Opened;
}

const S3 = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9-]{1,61}[a-z0-9])@(?<region>[a-z0-9-]+)$/;
const BLOB = /^(?<url>https:\/\/[a-z0-9]{3,24}\.blob\.[a-z0-9.]+)\/(?<container>[a-z0-9-]{3,63})$/;
const DYNAMO = /^dynamodb:\/\/(?<table>[A-Za-z0-9_.-]{3,255})@(?<region>[a-z0-9-]+)$/;
const COSMOS =
  /^(?<endpoint>https:\/\/[a-z0-9-]{3,44}\.documents\.azure\.com)\/(?<database>[^/]+)\/(?<container>[^/]+)$/;

/** The emulators take any keys. */
const LOCAL_KEYS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** @throws CommandError that says what a place may be. */
export function openObjectsPlace(text: string): Place<Objects> {
  const opened = inCloud(text);
  if (opened !== undefined) return { name: text, opened };
  throw new CommandError(
    `'${text}' is neither s3://<bucket>@<region> nor https://<account>.blob.core.windows.net/<container>`,
  );
}

/** An archive may be a folder, too. */
export function openArchivePlace(text: string): Place<ArchiveStorage> {
  if (text.includes('://')) return openObjectsPlace(text);
  return { name: text, opened: new FolderStorage(text) };
}

function inCloud(text: string): Objects | undefined {
  const { bucket, region } = S3.exec(text)?.groups ?? {};
  if (bucket !== undefined && region !== undefined) return openS3Objects({ bucket, region });
  const { url, container } = BLOB.exec(text)?.groups ?? {};
  return url !== undefined && container !== undefined ? openBlobObjects({ url, container }) : undefined;
}

/** @throws CommandError that says what it may be. */
export function openStorePlace(text: string): SiteStore {
  const entriesOf = indexEntries(storeIndexes);
  const { table, region } = DYNAMO.exec(text)?.groups ?? {};
  if (table !== undefined && region !== undefined) {
    const client = new DynamoDBClient({ region });
    return { store: new DynamoStore(client, table, { entriesOf }), close: () => client.destroy() };
  }
  const { endpoint, database, container } = COSMOS.exec(text)?.groups ?? {};
  if (endpoint !== undefined && database !== undefined && container !== undefined) {
    const client = new CosmosClient({ endpoint, aadCredentials: new DefaultAzureCredential() });
    const store = new CosmosStore(client.database(database).container(container), { entriesOf });
    return { store, close: () => client.dispose() };
  }
  throw new CommandError(
    `'${text}' is neither dynamodb://<table>@<region> nor https://<account>.documents.azure.com/<database>/<container>`,
  );
}

/** @throws CommandError when no stack runs, or it has no site of this name. */
export function siteOfStack(file: string, name: SiteId): StackSite {
  const sites = readStack(file)?.sites;
  if (sites === undefined)
    throw new CommandError(
      `${file} is not there, so no stack runs: name the places of deployed sites instead`,
    );
  const found = sites.find(({ site }) => site === name);
  if (found === undefined)
    throw new CommandError(`'${name}' is none of ${sites.map(({ site }) => site).join(', ')}`);
  return found;
}

export const storeOfStack = (site: StackSite): SiteStore => openSiteStore(site);

/** The objects of a site of the stack. */
export function objectsOfStack(site: StackSite): Objects {
  return storageOf(site, OBJECTS.bucket, OBJECTS.container);
}

/** Every place of the stack that may hold archives; those of other sites, not of the one in whose cloud it is. */
export function archivesOfStack(file: string): readonly Place<Objects>[] {
  const sites = readStack(file)?.sites;
  if (sites === undefined)
    throw new CommandError(
      `${file} is not there, so no stack runs: name where archives are with --from <place>`,
    );
  return sites.map((site) => ({
    name: `the storage of ${site.site}`,
    opened: storageOf(site, BACKUP.bucket, BACKUP.container),
  }));
}

function storageOf({ cloud, region, endpoints }: StackSite, bucket: string, container: string): Objects {
  return cloud === 'aws'
    ? openS3Objects({
        region,
        bucket,
        endpoint: endpoints['s3'],
        credentials: () => Promise.resolve(LOCAL_KEYS),
      })
    : openBlobObjects({ container, connectionString: blobConnection(endpoints['blob'] ?? '') });
}
