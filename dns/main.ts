/** `npm run dns -- <command>`: who is answered with which site. `--help` lists the commands. */
import { createInterface } from 'node:readline/promises';
import { systemClock } from './clock.ts';
import { chooseProvider } from './providers/choose.ts';
import { runDns } from './run.ts';
import { probeOverHttp } from './safety.ts';
import { observeOverHttp } from './shift/observe.ts';

const stop = new AbortController();
// The first asks for an orderly end; a second one is the system's own.
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
// A reader that has seen enough, `| head`, is no error.
process.stdout.on('error', () => process.exit());

const clock = systemClock;
process.exitCode = await runDns(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  signal: stop.signal,
  clock,
  observe: observeOverHttp,
  probe: probeOverHttp,
  ...(process.stdin.isTTY && process.stdout.isTTY && { confirm }),
  providerFor: async (choice) =>
    chooseProvider(choice, {
      clock,
      cloudflareToken: process.env['CLOUDFLARE_API_TOKEN'],
      localControlUrl: process.env['TANDEM_DNS_CONTROL'],
    }),
});

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(await terminal.question(question));
  } finally {
    terminal.close();
  }
}
