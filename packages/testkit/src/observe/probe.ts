/** Asks a site's store which of a number of keys can be read there. */
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { openSiteStore } from '@tandem-clouds/local/stack/site-store';

export interface Probe {
  /** Those of the keys that can be read there now: one strongly consistent request for all. */
  visible(keys: readonly string[]): Promise<ReadonlySet<string>>;
  close(): void;
}

/** Opens the store of a site of a local stack. */
export function openProbe(site: StackSite): Probe {
  const { store, close } = openSiteStore(site);
  return { visible: async (keys) => new Set((await store.getMany(keys)).keys()), close };
}
