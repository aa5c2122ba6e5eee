/**
 * `bench backup`: a full backup of a site on one cloud, with its objects, and its restore into an empty site on the other, through
 * the real SDKs; and how both grow with the records.
 */
import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { startEmulators } from '@tandem-clouds/emulators';
import type { Contents } from '@tandem-clouds/replication/objects/content';
import { storageName } from '@tandem-clouds/replication/objects/content';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { S3Objects } from '../../src/shared/adapters/aws/objects.ts';
import { openBlobObjects } from '../../src/shared/adapters/azure/open-objects.ts';
import { runFull } from '../../src/shared/backup/full.ts';
import { readArchive } from '../../src/shared/backup/read-archive.ts';
import { planRestore, restoreContents, restoreStates } from '../../src/shared/backup/restore.ts';
import { eachAtOnce } from '../../src/shared/backup/storage.ts';
import { verifyArchive } from '../../src/shared/backup/verify-archive.ts';
import { crc64Of } from '../../src/shared/crc64.ts';
import { contentsOf } from '../../src/shared/domain/content.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import { RECORD_BYTES, recordOf } from './compare/records.ts';
import { type FilledStore, openStores } from './compare/stores.ts';
import { ROOT } from './service-bundles.ts';

const BATCH = 500;
const SITE = 'aws-us-east-1';
const OBJECT_BYTES = 20_000;
/** Ten times the data takes at most eleven times as long. */
const GROWTH_MAX = 11;

interface Places {
  /** The objects of the site that is saved, those of the one that is restored, and the archive. */
  readonly own: Objects;
  /** A new one each time. */
  readonly restored: (name: string) => Promise<Objects>;
  readonly archive: Objects;
  readonly close: () => Promise<void>;
}

async function openPlaces(): Promise<Places> {
  const emulators = await startEmulators({ services: ['s3', 'blob'] });
  const client = new S3Client({ ...emulators.s3.config, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'objects' }));
  const { connectionString } = emulators.blob;
  const service = BlobServiceClient.fromConnectionString(connectionString);
  await service.getContainerClient('backup').create();
  return {
    own: new S3Objects(client, 'objects'),
    async restored(container) {
      await service.getContainerClient(container).create();
      return openBlobObjects({ connectionString, container });
    },
    archive: openBlobObjects({ connectionString, container: 'backup' }),
    async close() {
      client.destroy();
      await emulators.close();
    },
  };
}

interface Run {
  readonly fullSeconds: number;
  readonly restoreSeconds: number;
}

interface Saved {
  readonly from: FilledStore;
  readonly into: FilledStore;
  readonly places: Places;
  readonly contents: Contents;
}

/** One backup under an id of its own, and its restore. @throws Error when what is restored differs. */
async function saveAndRestore(
  { from, into, places, contents }: Saved,
  name: string,
  figures?: Figure[],
): Promise<Run> {
  const { own: objects, archive: storage } = places;
  const site: Site = { site: name, peers: [], archiveAt: name, now: Date.now };
  const startMs = performance.now();
  const full = await runFull({ site, store: from.store, storage, contents, objects, endsMs: Infinity });
  const fullSeconds = (performance.now() - startMs) / 1_000;
  const restored = await places.restored(`objects-${name}`);
  const { problems } = await verifyArchive(storage, { site: name, contents, nowMs: Date.now() });
  const beginMs = performance.now();
  const { states } = await readArchive(storage, { site: name });
  const records = await restoreStates(into.store, states, { now: Date.now });
  const bytes = await restoreContents({ storage, sites: [name] }, restored, states, {
    contents,
    nowMs: Date.now(),
  });
  const restoreSeconds = (performance.now() - beginMs) / 1_000;
  const compared = await planRestore(into.store, states);
  const differing = compared.absent + compared.older + compared.strange.length + compared.beyond.length;
  figures?.push(
    figure('records in the backup', full?.records ?? 0, ''),
    figure('problems that verification finds', problems.length, '', { exactly: 0 }),
    figure('records that differ after the restore', differing, '', { exactly: 0 }),
    figure('objects that are not restored', Object.keys({ ...bytes.failed, ...records.failed }).length, '', {
      exactly: 0,
    }),
    figure('objects restored', bytes.copied + bytes.held, ''),
    figure('full backup', fullSeconds, 's'),
    figure('restore', restoreSeconds, 's'),
  );
  return { fullSeconds, restoreSeconds };
}

function objectOf(index: number, body: Uint8Array): StoredRecord {
  const stamp = encodeStamp(1_800_000_000_000 + index, 0, SITE);
  const upload = `${SITE}.${index.toString(16).padStart(32, '0')}`;
  const content = {
    upload,
    bytes: body.length,
    crc64: crc64Of(body),
    contentType: 'application/octet-stream',
    completedMs: 1_800_000_000_000,
  };
  return {
    key: `object:${index}`,
    state: {
      fields: { name: [stamp, `file-${index}`], content: [stamp, content] },
      vector: { [SITE]: stamp },
    },
    version: stamp,
    pending: {},
    operations: [],
  };
}

async function measure(records: number, progress: (line: string) => void): Promise<Findings> {
  const contents = contentsOf(entities);
  if (contents === undefined) throw new Error('no entity has content');
  const { stores, close } = await openStores();
  const places = await openPlaces();
  const [from, into] = stores;
  const fill = async (begin: number, end: number): Promise<void> => {
    for (let at = begin; at < end; at += BATCH) {
      const size = Math.min(BATCH, end - at);
      await from.overwrite(Array.from({ length: size }, (_, index) => recordOf(at + index, 0)));
    }
    const numbers = Array.from(
      { length: Math.round((end - begin) / 50) },
      (_, index) => Math.round(begin / 50) + index,
    );
    const made: StoredRecord[] = [];
    await eachAtOnce(numbers, 8, async (number) => {
      const body = randomBytes(OBJECT_BYTES);
      const record = objectOf(number, body);
      const { upload } = record.state.fields['content']?.[1] as unknown as { readonly upload: string };
      await places.own.put(storageName(record.key, upload), body, {
        contentType: 'application/octet-stream',
      });
      made.push(record);
    });
    for (let at = 0; at < made.length; at += BATCH) await from.overwrite(made.slice(at, at + BATCH));
    progress(`${end} of ${records} records written`);
  };
  try {
    const saved = { from, into, places, contents };
    const few = Math.max(1, Math.round(records / 10));
    await fill(0, few);
    // The first one also loads what all of them need.
    await saveAndRestore(saved, 'warm');
    const emptied = async (): Promise<void> => {
      let cursor: string | undefined;
      do {
        const page = await into.store.scan({ cursor, limit: BATCH });
        const held = await into.store.getMany(page.records.map(({ key }) => key));
        for (const [key, { revision }] of held) await into.store.remove(key, revision);
        cursor = page.next;
      } while (cursor !== undefined);
    };
    await emptied();
    const small = await saveAndRestore(saved, 'small');
    await emptied();
    await fill(few, records);
    const figures: Figure[] = [];
    const large = await saveAndRestore(saved, 'large', figures);
    figures.push(
      figure('full backup: time for ten times the data', large.fullSeconds / small.fullSeconds, 'times', {
        atMost: GROWTH_MAX,
      }),
      figure('restore: time for ten times the data', large.restoreSeconds / small.restoreSeconds, 'times', {
        atMost: GROWTH_MAX,
      }),
    );
    const notes = [
      `${records} records of ${RECORD_BYTES} bytes and ${Math.round(records / 50)} objects of ${OBJECT_BYTES} bytes, saved from DynamoDB and S3 and restored into Cosmos DB and Blob Storage`,
      'stores are emulators in processes of their own; storages are emulators in this process',
    ];
    return { figures, notes };
  } finally {
    await places.close();
    await close();
  }
}

/** Returns the exit status. */
export async function benchBackup({
  records,
  json,
}: {
  readonly records: number;
  readonly json: boolean;
}): Promise<number> {
  return report({ title: 'Backup and restore', json, command: commandLine(process.argv, ROOT) }, (progress) =>
    measure(records, progress),
  );
}
