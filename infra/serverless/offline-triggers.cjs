'use strict';
/**
 * Serverless plugin: `sls offline` with queues, schedules and local resources. Only the hooks are here; the work
 * is in packages/local/src/aws-host, loaded when `sls offline` runs and at no other time.
 */
const { enableCompileCache } = require('node:module');
const path = require('node:path');
const { endWhenOfflineFails } = require('./end-when-failed.cjs');

const OFFLINE = 'offline';

module.exports = class OfflineTriggers {
  #serverless;
  #host;

  constructor(serverless) {
    this.#serverless = serverless;
    endWhenOfflineFails(serverless);
    if (serverless.processedInput.commands[0] === OFFLINE) this.#loadEarly();
    this.hooks = {
      'before:offline:start': () => this.#prepare(),
      'before:offline:start:init': () => {
        throw new Error('run `sls offline`, without `start`');
      },
      'after:offline:functionsUpdated:cleanup': () => this.#host?.then((host) => host.reload()),
    };
  }

  /** The other plugins load meanwhile. */
  #loadEarly() {
    enableCompileCache(path.join(this.#serverless.serviceDir, 'node_modules/.cache/node'));
    this.#host = import('@tandem-clouds/local/aws-host/offline-host').then(
      ({ OfflineHost }) => new OfflineHost(this.#serverless),
    );
    this.#host.catch(() => undefined);
  }

  async #prepare() {
    (await this.#host).prepare();
  }
};
