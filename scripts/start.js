/**
 * What `npm start` runs: checks what start.ts cannot check itself. An older Node does not even read its types, and
 * so this file is plain JavaScript that any Node understands.
 */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const installed = (name) => fs.existsSync(fileURLToPath(new URL('../node_modules/' + name, import.meta.url)));

function problem() {
  if (!installed('serverless/package.json') || !installed('node/package.json')) {
    return 'The dependencies are not installed. Run: npm ci';
  }
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= NODE_MAJOR) return undefined;
  return (
    'Node ' +
    NODE_MAJOR +
    ' or later is needed, and this is ' +
    process.version +
    ' (' +
    process.execPath +
    ').\n' +
    'Run: npm start   (it uses the Node ' +
    NODE_MAJOR +
    ' that npm ci installed)'
  );
}

const message = problem();
if (message === undefined) {
  await import('./start.ts');
} else {
  process.stderr.write(message + '\n');
  process.exitCode = 1;
}
