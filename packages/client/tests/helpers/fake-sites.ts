/** A client of two sites that fail as the test says, on virtual time. */
import { createTandemClient, type TandemClient } from '../../src/client.ts';
import type { ClientOptions } from '../../src/options.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeSite, type Fate } from './fake-site.ts';

export interface FakeSites {
  readonly aws: FakeSite;
  readonly azure: FakeSite;
  /** None of the client's own. */
  readonly far: FakeSite;
  readonly clock: FakeClock;
  readonly client: TandemClient;
  /** What the client was made with. */
  readonly options: ClientOptions;
  /** The sites that were asked, in order. */
  readonly asked: string[];
  /** What was to be done about redirects, for each of them. */
  readonly redirects: (RequestInit['redirect'] | undefined)[];
}

export function fakeSites(
  fates: { readonly aws?: readonly Fate[]; readonly azure?: readonly Fate[] } = {},
  options: Partial<ClientOptions> = {},
): FakeSites {
  const aws = new FakeSite('aws');
  const azure = new FakeSite('azure');
  const far = new FakeSite('far');
  aws.fates.push(...(fates.aws ?? []));
  azure.fates.push(...(fates.azure ?? []));
  const clock = new FakeClock();
  const asked: string[] = [];
  const redirects: FakeSites['redirects'] = [];
  const made: ClientOptions = {
    sites: [
      { url: aws.url, name: 'aws' },
      { url: azure.url, name: 'azure' },
    ],
    clock,
    fetch(url, { method = 'GET', headers, body, signal, redirect }) {
      const { origin, pathname, search } = new URL(url);
      const site = [aws, azure, far].find((one) => one.url === origin) ?? azure;
      asked.push(site.name);
      redirects.push(redirect);
      const sent = {
        method,
        path: pathname + search,
        headers: new Headers(headers),
        body: body as string | undefined,
      };
      return site.fetch(sent, signal!, () => clock.expire());
    },
    ...options,
  };
  return { aws, azure, far, clock, client: createTandemClient(made), options: made, asked, redirects };
}
