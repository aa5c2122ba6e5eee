/** Comparisons with the peers: begin one, and what is known of the latest. */
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import type { Job } from '@tandem-clouds/replication/anti-entropy/job';
import {
  type Verification,
  verificationKey,
  verificationOf,
} from '@tandem-clouds/replication/anti-entropy/verification';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import type { Site } from '@tandem-clouds/replication/protocol';
import { noteUnusable } from '@tandem-clouds/replication/unusable-keys';
import { NotFoundError, UnreadableError } from '../../errors.ts';
import { verificationBegin } from '../../generated/validators.js';
import type { Ids } from '../../ports/ids.ts';
import { readEach } from '../../read-each.ts';
import type { Route } from '../route.ts';
import type { DeclaredWriters } from './writers.ts';

const headers = { 'cache-control': 'no-store' };

/**
 * The comparisons that this site takes part in, and a new one that it begins: of all records, or of an entity that one site
 * writes at a time, whose results are kept apart.
 */
export function verificationRoutes(
  site: Site,
  resources: Resources,
  { ids, writers }: { readonly ids: Ids; readonly writers: DeclaredWriters },
): Route[] {
  const checkEntity = (entity: string | undefined): void => {
    if (entity !== undefined && !Object.hasOwn(writers, entity))
      throw new NotFoundError(`${entity} is no entity that one site writes at a time`);
  };
  const pairs = site.peers.flatMap((peer) => [
    { from: site.site, to: peer },
    { from: peer, to: site.site },
  ]);
  return [
    {
      method: 'GET',
      path: '/replication/verifications',
      async handle({ query: { entity: of } }) {
        checkEntity(of);
        const keys = pairs.map((pair) => verificationKey({ ...pair, of }));
        const { held, failed } = await readEach(resources.store, keys);
        const known = [...held].map(([key, { record }]) => [key, verificationOf(record)] as const);
        const unusable = new Map([
          ...failed,
          ...known.flatMap(([key, result]) =>
            result === undefined
              ? [
                  [
                    key,
                    new UnreadableError(`${key}: what the store holds is no result of a comparison`),
                  ] as const,
                ]
              : [],
          ),
        ]);
        await drive(noteUnusable(site, 'list', unusable), resources);
        const results = keys.flatMap((key) => verificationOf(held.get(key)?.record) ?? []);
        const unreadable = keys.filter((key) => unusable.has(key));
        const body = {
          site: site.site,
          verifications: results.map(viewOf),
          ...(unreadable.length > 0 && { unreadable }),
        };
        return { status: 200, body, headers };
      },
    },
    {
      method: 'POST',
      path: '/replication/verifications',
      body: verificationBegin,
      async handle({ body }) {
        const {
          peer,
          repair = false,
          entity: of,
        } = body as { peer: string; repair?: boolean; entity?: string };
        checkEntity(of);
        if (!site.peers.includes(peer)) {
          throw new NotFoundError(
            `${peer} is not a peer of ${site.site}; its peers: ${site.peers.join(', ')}`,
          );
        }
        const about = { from: site.site, to: peer, repair, ...(of !== undefined && { of }) };
        const job: Job = { id: ids.next(), atMs: site.now(), ...about };
        await drive(begin(site, job), resources);
        return {
          status: 202,
          body: viewOf({ job }),
          headers: { ...headers, location: '/replication/verifications' },
        };
      },
    },
  ];
}

function viewOf({ job, from, to, endedAtMs, lastCleanAtMs }: Verification): object {
  const { id, atMs, repair, of } = job;
  return {
    id,
    from: job.from,
    to: job.to,
    repair,
    ...(of !== undefined && { entity: of }),
    begunAt: rfc3339(atMs),
    ended: endedAtMs !== undefined,
    ...(endedAtMs !== undefined && { endedAt: rfc3339(endedAtMs) }),
    ...(lastCleanAtMs !== undefined && { lastCleanAt: rfc3339(lastCleanAtMs) }),
    sides: { ...(from && { [job.from]: from }), ...(to && { [job.to]: to }) },
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
