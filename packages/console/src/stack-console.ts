/** The console of the stack on this machine. */
import path from 'node:path';
import { version } from '../../../src/shared/version.ts';
import { localLook } from './local.ts';
import { entitiesRoute } from './server/entities.ts';
import { picturesRoute } from './server/pictures.ts';
import { ConsoleServer } from './server/server.ts';

/** @param dir The stack's folder. */
export function stackConsole(dir: string): ConsoleServer {
  return new ConsoleServer({
    place: { stack: dir, sites: [] },
    version,
    auditFile: path.join(dir, 'audit.jsonl'),
    local: localLook,
    more: (sites) => ({ entities: entitiesRoute(sites), pictures: picturesRoute(sites) }),
  });
}
