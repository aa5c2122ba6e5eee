/** A site of a running stack, seen through the product's own adapters. */
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { openStore as openDynamo } from '../../src/shared/adapters/aws/cloud.ts';
import { openStore as openCosmos } from '../../src/shared/adapters/azure/cloud.ts';
import { storeTimeoutMs } from '../../src/shared/bounds.ts';

/** A site's store, through the product's own adapter. */
export function storeOf({ cloud, region, site, endpoints }: StackSite): Store {
  const base = {
    site,
    region,
    peers: [],
    logLevel: 'error' as const,
    operatorKeys: [],
    jwtIssuers: [],
    serviceKeys: [],
    rebuilding: false,
    trustsEverybody: false,
    callerLimits: {},
    storeTimeoutMs,
    retiredSites: [],
    own: {},
  };
  if (cloud === 'azure') {
    return openCosmos(
      {
        ...base,
        azure: {
          cosmosEndpoint: endpoints['cosmos'] ?? '',
          cosmosKey: Buffer.from('local').toString('base64'),
          cosmosDatabase: 'tandem',
          cosmosContainer: 'records',
          outQueue: 'tandem-out',
          inQueue: 'tandem-in',
          deadQueue: 'tandem-dead',
          verifyQueue: 'tandem-verify',
          reactQueue: 'tandem-react',
          objectsQueue: 'tandem-objects',
          resourceManager: 'http://127.0.0.1:1',
        },
      },
      noEntries,
    );
  }
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: endpoints['dynamodb'],
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  return openDynamo(
    {
      ...base,
      aws: {
        table: 'tandem',
        outUrl: '',
        inUrl: '',
        deadUrl: '',
        tickUrl: '',
        verifyUrl: '',
        reactUrl: '',
        objectsQueueUrl: '',
        secretsPrefix: 'tandem',
      },
    },
    noEntries,
  );
}
