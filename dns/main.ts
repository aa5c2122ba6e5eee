/** `npm run dns -- <command>`: who is answered with which site. `--help` lists the commands. */
import { runCommand } from '../scripts/command/run-command.ts';
import { systemSurroundings } from './command/system.ts';
import { runDns } from './run.ts';

await runCommand(() =>
  runDns(
    process.argv.slice(2),
    systemSurroundings({
      cloudflareToken: process.env['CLOUDFLARE_API_TOKEN'],
      localControlUrl: process.env['TANDEM_DNS_CONTROL'],
    }),
  ),
);
