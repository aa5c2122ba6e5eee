/** What Resource Manager, its providers and the deployment service publish, and the tests that hold the emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const LEARN = 'https://learn.microsoft.com/azure';
const TEMPLATES = `${LEARN}/azure-resource-manager/templates`;
const own = testsOf('packages/emulators/tests/azure-control-plane.test.ts');

const notOffered = (row: string): ReturnType<typeof own> =>
  own('refuses a value that it does not offer: %s', row);

const changed = (row: string): ReturnType<typeof own> =>
  own('answers a change of %s as the service does', row);

export const azureControlPlaneFacts: EmulatorFacts = {
  id: 'azure-control-plane',
  title: 'Azure Resource Manager and deployments',
  folder: 'packages/emulators/src/azure-control-plane',
  facts: [
    {
      kind: 'limit',
      what: 'an instance of Flex Consumption has 512, 2,048 or 4,096 MB',
      source: `${LEARN}/azure-functions/flex-consumption-plan#instance-sizes`,
      held: notOffered('Flex Consumption'),
    },
    {
      kind: 'limit',
      what: 'always-ready instances of all groups together are at most the maximum of the app',
      source: `${LEARN}/azure-functions/flex-consumption-plan#always-ready-instances`,
      held: own('refuses %s', 'more instances than the app may have'),
    },
    {
      kind: 'limit',
      what: 'the maximum of autoscale of a container is a multiple of 1,000',
      source: `${LEARN}/cosmos-db/concepts-limits#autoscale-provisioned-throughput-limits`,
      held: changed('half a step'),
    },
    {
      kind: 'limit',
      what: 'it cannot be less than a tenth of the highest that there ever was',
      source: `${LEARN}/cosmos-db/autoscale-faq`,
      held: changed('less than a tenth of the highest there was'),
    },
    {
      kind: 'tier',
      what: 'a serverless account has no throughput to change',
      source: `${LEARN}/cosmos-db/serverless`,
      held: changed('throughput of a serverless account'),
    },
    {
      kind: 'validation',
      what: 'a parameter has the type that the template declares',
      source: `${TEMPLATES}/parameters`,
      held: own('is refused for %s', 'a flag that is text'),
    },
    {
      kind: 'validation',
      what: 'a parameter has one of its allowed values',
      source: `${TEMPLATES}/parameters#allowed-values`,
      held: own('is refused for %s', 'a value that is not allowed'),
    },
    {
      kind: 'validation',
      what: 'a group has a location',
      source: 'https://learn.microsoft.com/rest/api/resources/resource-groups/create-or-update',
      held: own('wants a location for a group'),
    },
    {
      kind: 'validation',
      what: 'Flex Consumption refuses properties of siteConfig by name',
      source: 'https://github.com/Azure/azure-cli/issues/31414',
      held: own(
        'refuses every property of siteConfig that Flex Consumption refuses, by name, also when it is null',
      ),
    },
    {
      kind: 'validation',
      what: 'Cosmos DB offers TLS 1.2 as its minimum, and nothing newer',
      source: `${LEARN}/cosmos-db/self-serve-minimum-tls-enforcement`,
      held: notOffered('Cosmos DB'),
    },
    {
      kind: 'validation',
      what: 'Storage offers TLS 1.2 as its minimum, and nothing newer',
      source: `${LEARN}/storage/common/transport-layer-security-configure-minimum-version`,
      held: notOffered('Storage'),
    },
    {
      kind: 'validation',
      what: 'Service Bus offers TLS 1.2 and 1.3 as its minimum',
      source: `${LEARN}/service-bus-messaging/transport-layer-security-configure-minimum-version`,
      held: notOffered('Service Bus'),
    },
    {
      kind: 'validation',
      what: 'Front Door offers TLS 1.2 and 1.3 as its minimum',
      source: `${LEARN}/frontdoor/tls-policy`,
      held: notOffered('Front Door'),
    },
    {
      kind: 'validation',
      what: 'a package is a zip with a host.json at its root',
      source: `${LEARN}/azure-functions/functions-deployment-technologies#one-deploy`,
      held: own('takes no package that is not a zip with a host.json'),
    },
    {
      kind: 'validation',
      what: 'a provider asks for the properties that a resource needs',
      source: 'https://learn.microsoft.com/rest/api/resources/',
      held: 'because only what a source says is refused is refused here: no resource runs',
    },
    {
      kind: 'validation',
      what: 'the mode Complete deletes what the template does not name',
      source: `${TEMPLATES}/deployment-modes`,
      held: 'because a deployment that deletes is a mistake of its sender: the emulator refuses it',
    },
    {
      kind: 'error',
      what: 'what was made before a resource failed stays, and the error names the resource',
      source: `${LEARN}/azure-resource-manager/troubleshooting/common-deployment-errors`,
      held: own('that fails leaves what was made before, and names what failed'),
    },
    {
      kind: 'timing',
      what: 'an operation that takes time is polled at the address that its first answer gives',
      source: `${LEARN}/azure-resource-manager/management/async-operations`,
      held: own('polls a deployment until it has ended'),
    },
  ],
};
