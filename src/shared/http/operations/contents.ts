/** Contents of records, for operators: what is known of one of them, and inventories of this site's storage. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { type Contents, HOLD } from '@tandem-clouds/replication/objects/content';
import {
  beginInventory,
  inventoryKey,
  inventoryOf,
  type InventoryReport,
} from '@tandem-clouds/replication/objects/inventory-record';
import type { InventoryStep } from '@tandem-clouds/replication/objects/inventory-step';
import { keeps, peersOf } from '@tandem-clouds/replication/placement';
import type { Site } from '@tandem-clouds/replication/protocol';
import { isLive, type StoredRecord } from '@tandem-clouds/replication/record';
import { ConflictError, NotFoundError } from '../../errors.ts';
import { inventoryBegin } from '../../generated/validators.js';
import { inventoryView } from '../../operations/content-view.ts';
import type { Ids } from '../../ports/ids.ts';
import { readEach } from '../../read-each.ts';
import type { Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };

interface ContentOperations {
  readonly contents: Contents;
  readonly ids: Ids;
  /** To the function that has the storage; undefined: this site has no place for objects. */
  readonly send: ((step: InventoryStep) => Promise<void>) | undefined;
}

/** None where no entity has content. */
export function contentRoutes(
  site: Site,
  resources: Resources,
  operations: ContentOperations | undefined,
): Route[] {
  if (operations === undefined) return [];
  const { contents, ids, send } = operations;
  return [
    {
      method: 'GET',
      path: '/replication/inventories',
      async handle() {
        const sites = [site.site, ...site.peers];
        const { held } = await readEach(resources.store, sites.map(inventoryKey));
        const inventories = sites.flatMap((of) => {
          const report = inventoryOf(held.get(inventoryKey(of))?.record);
          return report === undefined ? [] : [viewOf(of, report)];
        });
        return { status: 200, body: { site: site.site, inventories }, headers };
      },
    },
    {
      method: 'POST',
      path: '/replication/inventories',
      body: inventoryBegin,
      async handle({ body }) {
        const { read = false } = body as { read?: boolean };
        if (send === undefined) throw new NotFoundError(`${site.site} has no place for objects`);
        const step = await drive(beginInventory(site, { id: ids.next(), read, asked: true }), resources);
        if (step === undefined)
          throw new ConflictError(`${site.site} is being filled: what it lacks may yet arrive`);
        await send(step);
        const { id, atMs, counts } = step;
        const begun = { id, atMs, notedMs: atMs, phase: step.phase, read, counts, examples: [] };
        return {
          status: 202,
          body: viewOf(site.site, begun),
          headers: { ...headers, location: '/replication/inventories' },
        };
      },
    },
    {
      method: 'GET',
      path: '/replication/contents/{key}',
      async handle({ params }) {
        const key = params['key'] ?? '';
        if (!contents.may(key)) throw new NotFoundError(`${key} is no record with content`);
        const record = (await resources.store.get(key))?.record;
        if (record === undefined) throw new NotFoundError(`${site.site} holds no record ${key}`);
        return { status: 200, body: recordView(site, contents, record), headers };
      },
    },
  ];
}

function viewOf(site: string, report: InventoryReport): object {
  return { id: report.id, site, ...inventoryView(report), examples: report.examples };
}

function recordView(site: Site, contents: Contents, record: StoredRecord): object {
  const { key, state, reactions } = record;
  const held = contents.of(key, state, site.now());
  const { effectId, attempts = 0, dueMs, detail } = reactions?.[HOLD] ?? {};
  const keepers = [site.site, ...peersOf(site, record)].filter((each) => keeps(site, each, record));
  return {
    site: site.site,
    key,
    exists: isLive(state, site.now()),
    ...(held !== undefined && {
      content: {
        upload: held.content.upload,
        bytes: held.content.bytes,
        crc64: held.content.crc64,
        contentType: held.content.contentType,
        completedAt: rfc3339(held.content.completedMs),
        heldBy: held.heldBy,
        lackedBy: keepers.filter((each) => !held.heldBy.includes(each)),
        fetchedFrom: rfc3339(held.fromMs),
        dueBy: rfc3339(held.byMs),
      },
    }),
    ...(effectId !== undefined && {
      fetching: {
        attempts,
        ...(dueMs !== undefined && { next: rfc3339(dueMs) }),
        ...(detail !== undefined && { detail }),
      },
    }),
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
