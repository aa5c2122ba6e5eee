/** The one place that knows every provider. Each is loaded only when it is the one. */
import type { ProviderChoice } from '../command/surroundings.ts';
import type { Clock, Provider } from '../provider.ts';

export interface Environment {
  readonly clock: Clock;
  readonly cloudflareToken: string | undefined;
}

export async function chooseProvider(
  choice: ProviderChoice,
  { clock, cloudflareToken }: Environment,
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
  }
}
