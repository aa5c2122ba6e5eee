/**
 * Queue-triggered: does what is due on records that may have content, and fetches their bytes from the peers
 * (`run-reactions.ts`). The only function of the bridge that has the SDKs of storages.
 *
 * Invariant: memory holds `transferBodiesAtOnce` bodies of at most `objectBodyBytesMax`, whatever lies in the queue.
 */
import { openPeerObjects } from '../shared/adapters/peers/open-peer-objects.ts';
import { 
  transferBeginMs,
  transferBodiesAtOnce,
  transferHandleMs,
  transferKeysAtOnce,
} from '../shared/bounds.ts';
import { performObjects } from '../shared/objects/perform.ts';
import { keysOfEvent } from '../shared/objects/storage-event.ts';
import { openOwnObjects } from '../shared/open-content.ts';
import { openRuntime } from '../shared/runtime.ts';
import { wokenKey } from '../shared/wake-message.ts';
import { runReactions } from './run-reactions.ts';

const runtime = openRuntime();
const { config } = runtime;

export const handler = runReactions(runtime, {
  queue: 'tandem-objects',
  keysOf: (body) => {
    const key = wokenKey(body);
    return key === undefined ? keysOfEvent(body) : [key];
  },
  isReport: (body) => wokenKey(body) === undefined,
  keysAtOnce: transferKeysAtOnce,
  beginMs: transferBeginMs,
  handleMs: transferHandleMs,
  objects: performObjects({
    site: config.site,
    own: openOwnObjects(config),
    peers: openPeerObjects(config.peers),
    bodiesAtOnce: transferBodiesAtOnce,
  }),
});
