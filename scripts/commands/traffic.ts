/** Traffic by DNS, as commands of a process: this terminal, this clock, these credentials. */
import { type CommandContext, type Group, withContext } from '@tandem-clouds/command-line/command';
import { DNS } from '../../dns/command/command-line.ts';
import {
  acknowledge as taking,
  monitor as watching,
  runbook as onWord,
} from '../../dns/command/monitor-command.ts';

async function zoneContext() {
  const { systemContext } = await import('../../dns/command/system.ts');
  return systemContext({
    cloudflareToken: process.env['CLOUDFLARE_API_TOKEN'],
    localControlUrl: process.env['TANDEM_DNS_CONTROL'],
  });
}

type ZoneContext = Awaited<ReturnType<typeof zoneContext>>;

export const dns: Group<CommandContext> = {
  ...DNS,
  commands: DNS.commands.map((one) => withContext(one, zoneContext)),
};

export const acknowledge = withContext<CommandContext, ZoneContext>(taking, zoneContext);

/** Variables that are wrong are a wrong command line too. @throws UsageError naming them */
async function monitorCommandContext() {
  const { readSettings } = await import('../../dns/monitor/settings.ts');
  const settings = readSettings();
  const [{ systemContext }, { capacityPrices }] = await Promise.all([
    import('../../dns/command/system.ts'),
    import('../cost/capacity-prices.ts'),
  ]);
  return { ...systemContext(settings), settings, prices: capacityPrices };
}

export const monitor = withContext<CommandContext, Awaited<ReturnType<typeof monitorCommandContext>>>(
  watching,
  monitorCommandContext,
);
export const runbook = withContext<CommandContext, Awaited<ReturnType<typeof monitorCommandContext>>>(
  onWord,
  monitorCommandContext,
);
