/** `npm run smoke -- <url>`: does this site do what it is for? Exit status: 0, 1 when it does not, 2 for a wrong command line. */
import { parseArgs } from 'node:util';
import { runCommand } from './command/run-command.ts';
import { UsageError } from './command/usage-error.ts';
import { smoke } from './rollout/smoke.ts';

const USAGE = `Usage: npm run smoke -- <url> [--peer <url>] [--site <id>] [--release <version>] [--read-only]

Asks a site for its health and region, writes, changes, reads and deletes one record; with --peer the record must reach
the other site, and its end come back. With --read-only nothing is written. TANDEM_TOKEN is presented as a bearer token.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: 'string' },
      site: { type: 'string' },
      release: { type: 'string' },
      'read-only': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [url, ...rest] = positionals;
  if (url === undefined || !URL.canParse(url) || rest.length > 0) throw new UsageError('one URL is needed');
  const { peer, site, release } = values;
  const { passed, failed } = await smoke({
    url,
    readOnly: values['read-only'],
    ...(peer !== undefined && { peer }),
    ...(site !== undefined && { site }),
    ...(release !== undefined && { version: release }),
  });
  for (const line of passed) console.log(`ok      ${line}`);
  for (const line of failed) console.log(`FAILED  ${line}`);
  return failed.length === 0 ? 0 : 1;
}

await runCommand(main, { hint: USAGE });
