/** Routes of the console beside those that pass requests on: the same for every place that it looks at. */
import type { ApiRoute } from './api.ts';
import { entitiesRoute } from './entities.ts';
import { picturesRoute } from './pictures.ts';
import type { Sites } from './sites.ts';

export function moreRoutes(sites: Sites): Readonly<Record<string, ApiRoute>> {
  return { entities: entitiesRoute(sites), pictures: picturesRoute(sites) };
}
