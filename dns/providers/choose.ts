/** The one place that knows every provider. Each is loaded only when it is the one. */
import type { ProviderName } from '../policy/policy.ts';
import type { Clock, Provider } from '../provider.ts';

export interface ProviderChoice {
  readonly provider: ProviderName;
  readonly zone: string;
  readonly zoneId?: string;
  /** Of a local stack: where its DNS server is controlled. */
  readonly controlUrl?: string;
}

export interface Environment {
  readonly clock: Clock;
  readonly cloudflareToken: string | undefined;
  /** Base URL of the local DNS server's control interface; undefined: where the stack, or `npm start` by default, has it. */
  readonly localControlUrl: string | undefined;
}

/** The default port of `dns.control` (packages/local/src/stack/ports.ts). */
const LOCAL_CONTROL_URL = 'http://127.0.0.1:5380';

export async function chooseProvider(
  choice: ProviderChoice,
  { clock, cloudflareToken, localControlUrl }: Environment,
): Promise<Provider> {
  const { provider, zone, zoneId } = choice;
  const options = { zone, clock, ...(zoneId !== undefined && { zoneId }) };
  switch (provider) {
    case 'route53': {
      const { Route53Provider } = await import('./route53/provider.ts');
      return new Route53Provider(options);
    }
    case 'cloudflare': {
      const { CloudflareProvider } = await import('./cloudflare/provider.ts');
      return new CloudflareProvider({ ...options, token: cloudflareToken });
    }
    case 'local': {
      const { LocalProvider } = await import('./local/provider.ts');
      return new LocalProvider({
        zone,
        controlUrl: localControlUrl ?? choice.controlUrl ?? LOCAL_CONTROL_URL,
      });
    }
  }
}
