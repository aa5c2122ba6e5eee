/**
 * Queue-triggered: does what is due on records that may have content, and fetches their bytes from the peers
 * (`run-reactions.ts`); makes thumbnails of pictures; and takes the steps of inventories (`inventory-steps.ts`). The only function
 * of the bridge that has the SDKs of storages.
 *
 * Invariant: memory holds `transferBodiesAtOnce` bodies of at most `objectBodyBytesMax`, whatever lies in the queue.
 */
import { openObjectsQueue } from '#cloud';
import { openPeerObjects } from '../shared/adapters/peers/open-peer-objects.ts';
import {
  transferBeginMs,
  transferBodiesAtOnce,
  transferHandleMs,
  transferKeysAtOnce,
} from '../shared/bounds.ts';
import { PURGE } from '../shared/domain/caching/purge.ts';
import { SQL, type SqlCall } from '../shared/domain/sql/project.ts';
import { inventoryIn } from '../shared/inventory-message.ts';
import { makeThumbnails } from '../shared/objects/make-thumbnails.ts';
import { performObjects } from '../shared/objects/perform.ts';
import { keysOfEvent } from '../shared/objects/storage-event.ts';
import { openCdn } from '../shared/open-cdn.ts';
import { openOwnObjects } from '../shared/open-content.ts';
import { openImages } from '../shared/open-images.ts';
import { openSql } from '../shared/open-sql.ts';
import type { PurgeCall } from '../shared/ports/cdn.ts';
import { entities } from '../shared/registry/entities.ts';
import { openRuntime, reacting } from '../shared/runtime.ts';
import { wokenKey } from '../shared/wake-message.ts';
import { inventorySteps } from './inventory-steps.ts';
import { runReactions } from './run-reactions.ts';

const runtime = openRuntime();
const { config } = runtime;

const storages = {
  site: config.site,
  own: openOwnObjects(config),
  peers: openPeerObjects(config.peers),
};
const images = openImages();
const sql = openSql(runtime, entities);
const purge = openCdn(runtime);

const takeStep = inventorySteps({
  site: reacting(runtime.site, entities, config),
  entities,
  queue: runtime.tracing.queue(openObjectsQueue(config), 'tandem-objects'),
  logger: runtime.logger,
});

export const handler = runReactions(runtime, {
  name: 'transfer',
  queue: 'tandem-objects',
  keysOf: (body) => {
    const key = wokenKey(body);
    return key === undefined ? keysOfEvent(body) : [key];
  },
  otherThanKeys: (body) => {
    const step = inventoryIn(body);
    return step && ((driving, endsMs) => takeStep(step, driving, endsMs));
  },
  isReport: (body) => wokenKey(body) === undefined,
  keysAtOnce: transferKeysAtOnce,
  beginMs: transferBeginMs,
  handleMs: transferHandleMs,
  objects: performObjects({ ...storages, bodiesAtOnce: transferBodiesAtOnce }),
  outside: (effect, services) => {
    if (effect.service === SQL) return sql(effect.call as SqlCall);
    if (effect.service === PURGE) return purge(effect.call as PurgeCall, services);
    return makeThumbnails(effect, { ...storages, images, now: runtime.site.now });
  },
});
