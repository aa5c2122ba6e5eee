/** `npm run tandem -- <command>`: what an operator asks of a running system. `--help` lists the commands. */
import { runCommand } from './command/run-command.ts';
import { runTandem } from './tandem/run.ts';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

await runCommand(() =>
  runTandem(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stdout.isTTY,
    colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    signal: stop.signal,
  }),
);
