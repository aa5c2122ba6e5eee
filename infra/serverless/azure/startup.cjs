'use strict';
/** A quick start. */
const { enableCompileCache } = require('node:module');
const path = require('node:path');

/** The plugins are some 2,000 files; compiled code of an earlier run spares a third of the start. */
exports.cacheCompiledCode = (serviceDir) => {
  enableCompileCache(path.join(serviceDir, 'node_modules/.cache/node'));
};
