/** A console with every view that what it looks at has: that of a stack of this machine kills, and steers traffic. */
import path from 'node:path';
import { STACK_FILE } from '@tandem-clouds/command-line/running-stack';
import { localFaults } from '@tandem-clouds/local/faults/local-faults';
import type { Whereabouts } from '@tandem-clouds/operator/targets';
import { version } from '../../../src/shared/version.ts';
import { LocalWatch } from './local.ts';
import { faultsRoute } from './server/faults.ts';
import { moreRoutes } from './server/more-routes.ts';
import { ConsoleServer, type LocalParts } from './server/server.ts';
import type { Sites } from './server/sites.ts';
import { trafficRoutes } from './server/traffic.ts';

/** @param auditFile Where actions are written down. */
export function openConsole(place: Whereabouts, auditFile: string): ConsoleServer {
  const local = (sites: Sites): LocalParts => localParts(sites, place.stack);
  return new ConsoleServer({ place, version, auditFile, local, more: moreRoutes });
}

function localParts(sites: Sites, stack: string): LocalParts {
  const faults = localFaults(stack);
  const watch = new LocalWatch(sites, faults);
  const folder = path.basename(stack) === STACK_FILE ? path.dirname(stack) : stack;
  return {
    look: (before) => watch.look(before),
    routes: {
      ...trafficRoutes(sites, path.resolve(folder)),
      faults: faultsRoute(faults, () => watch.faultsChanged()),
    },
    close: () => watch.clock.close(),
  };
}
