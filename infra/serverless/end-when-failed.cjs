'use strict';
/**
 * `sls offline` ends when it fails.
 *
 * The CLI reports an error, sets the exit status and waits for the event loop to run empty. Offline it never does:
 * the file watcher, the bundler and the trigger process hold it open, and a host that does not serve would look alive
 * to whoever supervises it.
 */
exports.endWhenOfflineFails = (serverless) => {
  if (serverless.processedInput.commands[0] !== 'offline') return;
  const run = serverless.run.bind(serverless);
  serverless.run = async () => {
    try {
      return await run();
    } catch (error) {
      // The CLI reports it in the microtasks that follow, and writes synchronously.
      setImmediate(() => process.exit(1));
      throw error;
    }
  };
};
