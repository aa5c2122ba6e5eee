'use strict';
/**
 * Packages a definition again and again in one process, by the framework's own command line. Most of what that takes is
 * loading: the first run takes four times as long as each of the others.
 *
 * Invariants: every run loads the framework and what the definition names afresh, so it finds nothing of the run before in
 * them. A run is over when Node has nothing left to do, as it is for a process of its own.
 *
 * `node package-each.cjs <definition> <JSON of runs>`, in the folder of the definition. Each run has its `--param` values, the
 * folder that it writes to, and the file that its status and output go to.
 */
const fs = require('node:fs');
const path = require('node:path');

const [, , definition, text] = process.argv;
const runs = JSON.parse(text);
const framework = path.dirname(require.resolve('serverless/package.json'));
const cli = path.join(framework, 'scripts/serverless.js');
const here = fs.realpathSync(process.cwd());

let running;
let output = '';
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, done) => {
    output += String(chunk);
    const called = typeof encoding === 'function' ? encoding : done;
    if (typeof called === 'function') process.nextTick(called);
    return true;
  };
}

function begin(run) {
  for (const file of Object.keys(require.cache))
    if ([framework, here].some((folder) => file.startsWith(folder + path.sep)))
      Reflect.deleteProperty(require.cache, file);
  // The listeners of the run before: each expects to be the only one.
  for (const event of process.eventNames()) if (event !== 'beforeExit') process.removeAllListeners(event);
  process.exitCode = 0;
  output = '';
  const params = run.params.flatMap((param) => ['--param', param]);
  process.argv = [process.execPath, cli, 'package', '-c', definition, '--package', run.out, ...params];
  require(cli);
}

process.on('beforeExit', () => {
  if (running !== undefined)
    fs.writeFileSync(running.result, JSON.stringify({ status: process.exitCode ?? 0, output }));
  running = runs.shift();
  if (running === undefined) process.exitCode = 0;
  else begin(running);
});
