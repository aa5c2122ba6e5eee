'use strict';
/** Whether an entity has content (`entities.json`, which `npm run generate` writes): then a site has a place for objects. */
module.exports = () => String(require('./entities.json').some(({ content }) => content));
