/** The storages that the functions of entities with content use; whatever imports this has their SDKs in its bundle. */
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { openObjects } from '#objects';
import { openPeerObjects } from './adapters/peers/open-peer-objects.ts';
import { type Config, hasObjects } from './config/config.ts';
import { ContentStorage } from './domain/content-storage.ts';
import type { Objects } from './ports/objects.ts';
import type { Runtime } from './runtime.ts';

/** Of this site and its peers. */
export function openContent({ config, site }: Runtime): ContentStorage {
  return new ContentStorage({
    site: site.site,
    own: openOwnObjects(config),
    peers: openPeerObjects(config.peers),
    newId: uuidv7,
    now: site.now,
    sha256: () => {
      const hash = createHash('sha256');
      return { update: (bytes) => hash.update(bytes), digest: () => hash.digest('base64') };
    },
  });
}

/** Undefined at a site that is configured without (feature `objects`). */
export function openOwnObjects(config: Config): Objects | undefined {
  return hasObjects(config) ? openObjects(config) : undefined;
}
