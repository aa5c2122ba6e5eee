/** `npm run dns -- <command>`: who is answered with which site. `--help` lists the commands. */
import { systemSurroundings } from './command/system.ts';
import { runDns } from './run.ts';

process.exitCode = await runDns(
  process.argv.slice(2),
  systemSurroundings({
    cloudflareToken: process.env['CLOUDFLARE_API_TOKEN'],
    localControlUrl: process.env['TANDEM_DNS_CONTROL'],
  }),
);
