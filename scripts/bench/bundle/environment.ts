/** The settings that a function checks at cold start. Nothing is called while a bundle loads, so nothing listens. */
import type { CloudName } from '../service-bundles.ts';
import type { Environment } from './load-time.ts';

const AWS_PEER = {
  site: 'aws-us-east-1',
  cloud: 'aws',
  region: 'us-east-1',
  url: 'https://aws.example.com',
  inbox: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-in',
  verify: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-verify',
};
const AZURE_PEER = {
  site: 'azure-eastus',
  cloud: 'azure',
  region: 'eastus',
  url: 'https://azure.example.com',
  inbox: 'tandem-in',
  verify: 'tandem-verify',
  namespace: 'tandem.servicebus.windows.net',
};

/** As deployed: identities instead of secrets, and one peer in the other cloud. */
export const ENVIRONMENT: Readonly<Record<CloudName, Environment>> = {
  aws: {
    AWS_REGION: 'us-east-1',
    TANDEM_SITE: AWS_PEER.site,
    TANDEM_REGION: AWS_PEER.region,
    TANDEM_PEERS: JSON.stringify([AZURE_PEER]),
    TANDEM_TABLE: 'tandem',
    TANDEM_OUT_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-out',
    TANDEM_IN_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-in',
    TANDEM_DEAD_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-dead',
    TANDEM_TICK_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-tick',
    TANDEM_VERIFY_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-verify',
    TANDEM_REACT_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-react',
    TANDEM_OBJECTS_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-objects',
  },
  azure: {
    TANDEM_SITE: AZURE_PEER.site,
    TANDEM_REGION: AZURE_PEER.region,
    TANDEM_PEERS: JSON.stringify([AWS_PEER]),
    COSMOS_ENDPOINT: 'https://tandem.documents.azure.com:443/',
    COSMOS_DATABASE: 'tandem',
    COSMOS_CONTAINER: 'records',
    SERVICE_BUS_NAMESPACE: AZURE_PEER.namespace,
    SERVICE_BUS_ID:
      '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/tandem/providers/Microsoft.ServiceBus/namespaces/tandem',
  },
};
