/** The console of the stack on this machine. */
import path from 'node:path';
import { localFaults } from '@tandem-clouds/local/faults/local-faults';
import { version } from '../../../src/shared/version.ts';
import { LocalWatch } from './local.ts';
import { faultsRoute } from './server/faults.ts';
import { moreRoutes } from './server/more-routes.ts';
import { ConsoleServer } from './server/server.ts';
import { trafficRoutes } from './server/traffic.ts';

/** @param dir The stack's folder. */
export function stackConsole(dir: string): ConsoleServer {
  return new ConsoleServer({
    place: { stack: dir, sites: [] },
    version,
    auditFile: path.join(dir, 'audit.jsonl'),
    local: (sites) => {
      const faults = localFaults(dir);
      const watch = new LocalWatch(sites, faults);
      return {
        look: (before) => watch.look(before),
        routes: { ...trafficRoutes(sites, dir), faults: faultsRoute(faults, () => watch.faultsChanged()) },
        close: () => watch.clock.close(),
      };
    },
    more: moreRoutes,
  });
}
