/** From a policy to what can be done to its sites: real clouds, or the running local stack when its provider is `local`. */
import type { Cloud } from '@tandem-clouds/local/stack/sites';
import { localDeploy } from '@tandem-clouds/testkit/cluster/deploy-local';
import { systemContext } from '../../dns/command/system.ts';
import { cloudDeploy } from '../../infra/rollout/deploy-cloud.ts';
import { platformOf } from '../../infra/rollout/platform.ts';
import type { Platform } from '../../infra/rollout/run-rollout.ts';
import { Traffic } from '../../infra/rollout/traffic.ts';

export interface Target {
  readonly policy: string;
  /** Folder of the local stack. */
  readonly dir: string;
  /** More arguments of the packager, by cloud. */
  readonly args: Readonly<Record<Cloud, readonly string[]>>;
}

export interface Connection {
  readonly traffic: Traffic;
  readonly platform: Platform;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Listens to signals from now on. @throws TrafficError when the policy is not one. */
export function connect({ policy, dir, args }: Target, report: (line: string) => void): Connection {
  const commandContext = systemContext({
    cloudflareToken: process.env['CLOUDFLARE_API_TOKEN'],
    localControlUrl: process.env['TANDEM_DNS_CONTROL'],
  });
  const traffic = new Traffic(policy, { ...commandContext, out: (text) => report(text.trimEnd()) });
  const deploy = traffic.policy.provider === 'local' ? localDeploy(dir) : cloudDeploy({ args, report });
  return { traffic, platform: platformOf(traffic, deploy), signal: commandContext.signal };
}
