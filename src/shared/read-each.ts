/** Reading keys of which some may never be readable, for what is no protocol: the same rule (`replication/isolate.ts`). */
import { type KeysRead, readKeys } from '@tandem-clouds/replication/isolate';
import type { Store } from '@tandem-clouds/replication/ports/store';

/** @throws what the store throws for a reason that passes. */
export async function readEach(store: Pick<Store, 'getMany'>, keys: readonly string[]): Promise<KeysRead> {
  const protocol = readKeys(keys);
  let step = protocol.next();
  while (step.done !== true) {
    const effect = step.value;
    if (effect.op !== 'getMany') throw new TypeError(`reading asks for ${effect.op}`);
    try {
      step = protocol.next(await store.getMany(effect.keys));
    } catch (error) {
      step = protocol.throw(error);
    }
  }
  return step.value;
}
