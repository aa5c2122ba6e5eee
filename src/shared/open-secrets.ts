/** Opens the vault of a site, for functions that read secrets and have no services beside them. */
import { openVault } from '#cloud';
import { cachedSecrets, type HeldSecrets } from './adapters/cached-secrets.ts';
import type { Runtime } from './runtime.ts';

/** A vault that the configuration does not name is missed by whoever wants a secret, not by everybody. */
export function openSecrets({ config, site }: Pick<Runtime, 'config' | 'site'>): HeldSecrets {
  let opened: HeldSecrets | undefined;
  const open = (): HeldSecrets => (opened ??= cachedSecrets({ vault: openVault(config), now: site.now }));
  return {
    get: async (name) => await open().get(name),
    refresh: async (name, refused) => await open().refresh(name, refused),
    held: () => opened?.held() ?? [],
  };
}
