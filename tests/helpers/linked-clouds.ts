/** Two clouds' emulators, one of them the peer of the other. */
import { setEnvironment, startCloud, type TestCloud } from './sites.ts';

export interface LinkedClouds {
  readonly own: TestCloud;
  readonly peer: TestCloud;
  /** What the functions of the own cloud find in their environment; set until `close`. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const OTHER = { aws: 'azure', azure: 'aws' } as const;

/**
 * Starts both and sets the environment for functions of `cloudName`.
 * @param peerUrl Where the peer's API is; by default nobody answers there.
 */
export async function startLinkedClouds(
  cloudName: 'aws' | 'azure',
  peerUrl = 'http://127.0.0.1:1',
): Promise<LinkedClouds> {
  const own = await startCloud(cloudName);
  const peer = await startCloud(OTHER[cloudName]);
  const env = {
    // An Azure site signs in to the peer's SQS with credentials of its own.
    ...(cloudName === 'azure' && {
      AWS_ACCESS_KEY_ID: peer.env['AWS_ACCESS_KEY_ID'] ?? '',
      AWS_SECRET_ACCESS_KEY: 'local',
    }),
    ...own.env,
    TANDEM_PEERS: JSON.stringify([{ ...peerConfig(peer), url: peerUrl }]),
    TANDEM_LOG_LEVEL: 'error',
  };
  const restore = setEnvironment(env);
  return {
    own,
    peer,
    env,
    async close() {
      restore();
      await Promise.all([own.close(), peer.close()]);
    },
  };
}

/** How the other cloud is reached. */
function peerConfig({ cloud, site, env }: TestCloud): object {
  const common = { site, cloud, region: env['TANDEM_REGION'] };
  return cloud === 'aws'
    ? {
        ...common,
        inbox: env['TANDEM_IN_URL'],
        verify: env['TANDEM_VERIFY_URL'],
        endpoint: env['AWS_ENDPOINT_URL_SQS'],
      }
    : {
        ...common,
        inbox: 'tandem-in',
        verify: 'tandem-verify',
        connectionString: env['SERVICE_BUS_CONNECTION'],
      };
}
