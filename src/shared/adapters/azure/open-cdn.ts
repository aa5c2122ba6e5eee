/** `#cdn` on Azure: opens Front Door. A module of its own, as on AWS. */
import type { Config } from '../../config/config.ts';
import type { Cdn } from '../../ports/cdn.ts';
import { fetchClient } from '../fetch-client.ts';
import { FrontDoorCdn } from './cdn.ts';
import { ownToken } from './credential.ts';

/** Undefined: this site has no Front Door that keeps anything. */
export function openCdn({ azure, cdn }: Config): Cdn | undefined {
  if (cdn?.endpoint === undefined || azure === undefined) return undefined;
  const { resourceManager } = azure;
  return new FrontDoorCdn({
    endpoint: cdn.endpointUrl ?? resourceManager,
    endpointId: cdn.endpoint,
    http: fetchClient,
    token: () => ownToken(resourceManager),
  });
}
