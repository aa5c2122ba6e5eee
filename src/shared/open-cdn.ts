/**
 * The composition of the shared caches in front of a site. A module of its own: a function that does not import it has no SDK of a
 * cache in its bundle.
 */
import { openCdn as openAtCloud } from '#cdn';
import { CLOUDFLARE_TOKEN, CloudflareCdn } from './adapters/cdn/cloudflare.ts';
import { PurgeBatches } from './adapters/cdn/purge-batches.ts';
import { fetchClient } from './adapters/fetch-client.ts';
import type { PurgeCall } from './ports/cdn.ts';
import type { Services } from './ports/services.ts';
import { type Runtime, sleep } from './runtime.ts';

/** @throws what one of the caches has thrown: all are purged again then. */
export type Purging = (change: PurgeCall, services: Pick<Services, 'secrets'>) => Promise<void>;

/** Opened once per process. Nobody is called before there is something to purge. */
export function openCdn({ config }: Pick<Runtime, 'config'>): Purging {
  let opened: readonly PurgeBatches[] | undefined;
  const open = (secrets: Services['secrets']): readonly PurgeBatches[] => {
    const { zone, zoneUrl: url } = config.cdn ?? {};
    const cloudflare =
      zone === undefined
        ? undefined
        : new CloudflareCdn({ zone, url, http: fetchClient, token: () => secrets.get(CLOUDFLARE_TOKEN) });
    return [openAtCloud(config), cloudflare].flatMap((cdn) =>
      cdn === undefined ? [] : [new PurgeBatches(cdn, sleep)],
    );
  };
  return async (change, { secrets }) => {
    opened ??= open(secrets);
    await Promise.all(opened.map((cdn) => cdn.purge(change)));
  };
}
