/** Users: create, read, list, change, delete. `POST /user` is an alias of `POST /users`. */
import { fetchClient } from '../shared/adapters/fetch-client.ts';
import { EntityService } from '../shared/domain/entity-service.ts';
import { user } from '../shared/entities/user.ts';
import { userCreate, userPatch, userStored } from '../shared/generated/validators.js';
import { forCallers } from '../shared/http/authentication.ts';
import { entityRoutes } from '../shared/http/entity-routes.ts';
import { openReplica, openRuntime, serve } from '../shared/runtime.ts';
import { validate } from '../shared/validation/validate.ts';

const runtime = openRuntime();
const service = new EntityService(user, openReplica(runtime, [user]), (fields) =>
  validate(userStored, fields),
);
const routes = entityRoutes(user, service, {
  create: userCreate,
  patch: userPatch,
});
const aliases = routes
  .filter(({ method }) => method === 'POST')
  .map((route) => ({ ...route, path: '/user' }));

export const handler = serve(runtime, forCallers(runtime.config, fetchClient, [...routes, ...aliases]));
