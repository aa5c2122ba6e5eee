/** Our whole HTTP stack around the fixture, as `src/shared/runtime.ts` builds it. */
import { httpEntry } from '#cloud';
import { jsonLogger } from '../../../../src/shared/adapters/json-logger.ts';
import { userCreate } from '../../../../src/shared/generated/validators.js';
import type { Route } from '../../../../src/shared/http/route.ts';
import { httpService } from '../../../../src/shared/http/service.ts';
import type { LogLevel } from '../../../../src/shared/ports/telemetry.ts';
import { createUser, type NewUser, OTHER_ROUTES } from '../fixture.ts';

const routes: Route[] = [
  {
    method: 'POST',
    path: '/users',
    body: userCreate,
    handle: ({ body }) => createUser(body as NewUser),
  },
  ...OTHER_ROUTES.map((route) => ({ ...route, handle: () => ({ status: 204 }) })),
];

/** What the platform calls; log lines are made and dropped. */
export function oursLoggingFrom(level: LogLevel): unknown {
  return httpEntry(
    httpService({
      site: 'aws-us-east-1',
      routes,
      logger: jsonLogger({ level, site: 'aws-us-east-1', write: () => undefined }),
      elapsed: () => performance.now(),
    }),
  );
}
