'use strict';
/**
 * Invokes a bundled function as Lambda's runtime does: `invoke-bundle.cjs <bundle> <export>`, the event on
 * standard input, the answer (or the error) as the last line of standard output.
 */
const fs = require('node:fs');

const [bundle, name] = process.argv.slice(2);
const event = JSON.parse(fs.readFileSync(0, 'utf8'));
const context = { awsRequestId: 'request-1', functionName: name, getRemainingTimeInMillis: () => 10_000 };

const finish = (result) => {
  process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0));
};

Promise.resolve()
  .then(() => require(bundle)[name](event, context))
  .then(
    (response) => finish({ response: response ?? null }),
    (error) => finish({ error: String(error) }),
  );
