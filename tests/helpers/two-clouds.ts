/** Both clouds' stand-ins: one site under test and its peer. */
import { cloudName } from '#cloud';
import { startCloud, type TestCloud } from './sites.ts';

const OTHER = { aws: 'azure', azure: 'aws' } as const;

export interface TwoClouds {
  readonly own: TestCloud;
  readonly peer: TestCloud;
  /** Variables of the site under test, with its peer. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startBothClouds(): Promise<TwoClouds> {
  const own = await startCloud(cloudName);
  const peer = await startCloud(OTHER[cloudName]);
  const env = {
    // An Azure site signs in to the peer's SQS with credentials of its own.
    ...(cloudName === 'azure' && {
      AWS_ACCESS_KEY_ID: peer.env['AWS_ACCESS_KEY_ID'] ?? '',
      AWS_SECRET_ACCESS_KEY: 'local',
    }),
    ...own.env,
    TANDEM_PEERS: JSON.stringify([peerConfig(peer)]),
    TANDEM_LOG_LEVEL: 'error',
  };
  return {
    own,
    peer,
    env,
    async close() {
      await Promise.all([own.close(), peer.close()]);
    },
  };
}

/** How this cloud reaches the other one. */
function peerConfig({ cloud, site, env }: TestCloud): object {
  const common = { site, cloud, region: env['TANDEM_REGION'], url: 'http://127.0.0.1:1' };
  return cloud === 'aws'
    ? {
        ...common,
        inbox: env['TANDEM_OUT_URL']?.replace('tandem-out', 'tandem-in'),
        endpoint: env['AWS_ENDPOINT_URL_SQS'],
      }
    : { ...common, inbox: 'tandem-in', connectionString: env['SERVICE_BUS_CONNECTION'] };
}
