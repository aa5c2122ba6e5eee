/** `npm start`: both clouds, the bridge and the edge on this machine. `--help` lists the options. */
import { guardOutput } from '../command/run-command.ts';
import { UsageError } from '../command/usage-error.ts';
import { Output } from './stack/output.ts';
import { parseOptions, USAGE, type StackOptions } from './stack/options.ts';
import { runStack } from './stack/run-stack.ts';

const USAGE_STATUS = 2;

function readCommandLine(): StackOptions | undefined {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(USAGE);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm start -- --help lists the options.\n`);
    process.exitCode = USAGE_STATUS;
  }
  return undefined;
}

// A terminal that has gone away, or a closed pipe, must not end the supervisor before its children.
guardOutput(() => undefined);
const options = readCommandLine();
if (options !== undefined) {
  const output = new Output({
    write: (text) => process.stdout.write(text),
    verbose: options.verbose,
    colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  });
  process.exitCode = await runStack(options, output);
}
