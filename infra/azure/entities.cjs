'use strict';
/**
 * The functions of the declared entities and custom routes (`../entities.json` and `../routes.json`, which `npm run generate`
 * writes from src/shared/entities and src/shared/routes). A function has one route here, so an alias is a function too. All
 * of the app's functions have one identity: no role each.
 */
const entities = require('../entities.json');
const routes = require('../routes.json');

/** No `methods`: a function then gets every one that there is, so that 405 and preflight are answered by our code. */
const functionOf = (handler, route) => ({ handler, events: [{ http: true, authLevel: 'anonymous', route }] });

module.exports = {
  functions: Object.fromEntries([
    ...entities.flatMap(({ collection, function: key, handler, aliases }) => [
      [key, functionOf(handler, `${collection}/{*path}`)],
      ...aliases.map((alias) => [alias.function, functionOf(handler, alias.path.slice(1))]),
    ]),
    ...routes.map(({ name, function: key, handler }) => [key, functionOf(handler, `${name}/{*path}`)]),
  ]),
  /** What Front Door may keep (parts/front-door.json). */
  cachedCollections: entities
    .filter(({ cached }) => cached)
    .map(({ collection }) => collection)
    .join(','),
};
