'use strict';
/** Repairs 1 and 2: Node 24. */
const RUNTIME = 'nodejs24';

/** The plugin knows nothing later than Node 18: "Runtime nodejs24 is not supported". */
exports.acceptNode24 = () => {
  const runtime = require('serverless-azure-functions/lib/config/runtime');
  if (runtime.supportedRuntimeSet.has(RUNTIME)) return;
  runtime.supportedRuntimes.push(RUNTIME);
  runtime.supportedRuntimeSet.add(RUNTIME);
  runtime.dockerImages[RUNTIME] = 'NODE|24';
};

/**
 * serverless-esbuild skips, without a word, functions whose runtime is not in its table for the provider: the
 * package then holds function.json files and no code.
 */
exports.bundleForNode24 = () => {
  require('serverless-esbuild/dist/helper').providerRuntimeMatcher.azure[RUNTIME] = 'node24';
};
