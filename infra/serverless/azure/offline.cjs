'use strict';
/** Repair 20: `sls offline` runs the project's own host; upstream spawns `func`, which npm does not have. */

/**
 * Begins an offline site and makes `offline:start` serve it.
 * @returns {{ reload(): Promise<void> }} What to do after a rebuild.
 */
exports.runOwnHost = ({ serverless, appDir }) => {
  const { OfflineService } = require('serverless-azure-functions/lib/services/offlineService');
  const site = import('@tandem-clouds/local/azure-host/offline-site').then(
    ({ OfflineSite }) =>
      new OfflineSite({
        serviceDir: serverless.serviceDir,
        appDir,
        declared: serverless.service.provider.environment,
        print: (line) => process.stdout.write(`${line}\n`),
      }),
  );
  // Reported by start(), which awaits it.
  site.catch(() => undefined);

  OfflineService.prototype.start = async () => {
    const running = await site;
    const stopped = untilStopped();
    try {
      await running.start();
      await stopped;
    } finally {
      await running.stop();
    }
    // The watcher and the bundler would keep the process alive.
    process.exit(0);
  };
  return { reload: async () => (await site).reload() };
};

function untilStopped() {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
