'use strict';
/** One function in a thread with an environment of its own: loads the bundle and answers invocations. */
const { parentPort, workerData } = require('node:worker_threads');

const { handler } = require(workerData);

parentPort.on('message', ({ id, args: [first, second] }) => {
  // Functions do not travel between threads.
  if (first?.bodyBase64 !== undefined) {
    first.arrayBuffer = async () => Uint8Array.from(Buffer.from(first.bodyBase64, 'base64')).buffer;
  }
  const context = { awsRequestId: 'request-1', ...second, getRemainingTimeInMillis: () => 10_000 };
  Promise.resolve()
    .then(() => handler(first, second === undefined ? context : second))
    .then(
      (result) => parentPort.postMessage({ id, result }),
      (error) => parentPort.postMessage({ id, error: String(error?.stack ?? error) }),
    );
});
parentPort.postMessage('ready');
