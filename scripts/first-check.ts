/**
 * `npm run first-check -- <site>`: what only an account can tell, before any traffic. Exit status: 0, 1 when something is
 * to be mended or nobody answers, 2 for a wrong command line.
 */
import { parseArgs } from 'node:util';
import { runCommand } from './command/run-command.ts';
import { UsageError } from './command/usage-error.ts';
import { checkSite } from './first-check/check-site.ts';
import { statusOf, toText } from './first-check/report.ts';
import { explain } from './tandem/ask.ts';
import { findSite, TargetError } from './tandem/targets.ts';

const USAGE = `Usage: npm run first-check -- <site> [--stack <file>] [--json]

Asks a site to make one call of each kind that it makes, with its own identity, and says of each that is refused what
right or setting is missing and how to set it. <site> is the URL of a deployed site, or the id of one of the stack on
this machine. The key of an operator is that of the stack, or in TANDEM_OPERATOR_KEY.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stack: { type: 'string', default: '.tandem/stack.json' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new UsageError('one site is needed');
  const isUrl = /^https?:\/\//.test(name);
  if (isUrl && !URL.canParse(name)) throw new UsageError(`${name} is no URL`);
  const options = { stack: values.stack, sites: isUrl ? [name] : [], json: values.json };
  try {
    const report = await checkSite(await findSite(options, isUrl ? undefined : name));
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : toText(report));
    return statusOf(report);
  } catch (error) {
    process.stderr.write(`${error instanceof TargetError ? error.message : `${name}: ${explain(error)}`}\n`);
    return 1;
  }
}

await runCommand(main, { hint: USAGE });
