/**
 * What resource providers refuse about properties, each rule with its source. Resource Manager's own validation does not
 * see these: the deployment begins, and the resource fails.
 *
 * Invariant: only what a source says is refused. A property that is merely without effect is not in here.
 */
import type { DeployedResource } from './evaluate-template.ts';
import type { ArmError } from './http.ts';

/** A property whose values are not all that one would expect. */
export interface ValueRule {
  readonly type: string;
  /** Path below `properties`. */
  readonly property: string;
  readonly accepted: readonly unknown[];
  readonly source: string;
}

export const VALUE_RULES: readonly ValueRule[] = [
  {
    type: 'Microsoft.DocumentDB/databaseAccounts',
    property: 'minimalTlsVersion',
    accepted: ['Tls12'],
    source: 'https://learn.microsoft.com/azure/cosmos-db/self-serve-minimum-tls-enforcement',
  },
  {
    type: 'Microsoft.Storage/storageAccounts',
    property: 'minimumTlsVersion',
    accepted: ['TLS1_0', 'TLS1_1', 'TLS1_2'],
    source:
      'https://learn.microsoft.com/azure/storage/common/transport-layer-security-configure-minimum-version',
  },
  {
    type: 'Microsoft.ServiceBus/namespaces',
    property: 'minimumTlsVersion',
    accepted: ['1.2', '1.3'],
    source:
      'https://learn.microsoft.com/azure/service-bus-messaging/transport-layer-security-configure-minimum-version',
  },
  {
    type: 'Microsoft.Web/sites',
    property: 'siteConfig.minTlsVersion',
    accepted: ['1.0', '1.1', '1.2', '1.3'],
    source:
      'https://learn.microsoft.com/dotnet/api/azure.provisioning.appservice.appservicesupportedtlsversion',
  },
  {
    type: 'Microsoft.Web/sites',
    property: 'siteConfig.scmMinTlsVersion',
    accepted: ['1.0', '1.1', '1.2', '1.3'],
    source:
      'https://learn.microsoft.com/dotnet/api/azure.provisioning.appservice.appservicesupportedtlsversion',
  },
  {
    // TLS 1.0 and 1.1 are disallowed since March 2025.
    type: 'Microsoft.Cdn/profiles/customDomains',
    property: 'tlsSettings.minimumTlsVersion',
    accepted: ['TLS12', 'TLS13'],
    source: 'https://learn.microsoft.com/azure/frontdoor/tls-policy',
  },
  {
    type: 'Microsoft.Web/sites',
    property: 'functionAppConfig.scaleAndConcurrency.instanceMemoryMB',
    accepted: [512, 2048, 4096],
    source: 'https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#instance-sizes',
  },
];

/**
 * Properties of `siteConfig` that Flex Consumption refuses by name (ARM error 51021): those that were seen refused.
 * @see https://github.com/Azure/azure-cli/issues/31414
 * @see https://github.com/Azure/terraform-azurerm-avm-res-web-site/issues/283
 * @see https://github.com/Azure/azure-functions-host/issues/10643
 * @see https://github.com/Azure/terraform-azurerm-avm-res-web-site/pull/345
 */
export const REFUSED_ON_FLEX: readonly string[] = [
  'alwaysOn',
  'ftpsState',
  'functionAppScaleLimit',
  'functionsRuntimeScaleMonitoringEnabled',
  'linuxFxVersion',
  'netFrameworkVersion',
  'preWarmedInstanceCount',
  'use32BitWorkerProcess',
];

/** Why the resource provider refuses this resource; undefined when it takes it. */
export function propertyRefusal(resource: DeployedResource): ArmError | undefined {
  const properties = resource.body['properties'];
  for (const { type, property, accepted } of VALUE_RULES) {
    if (type !== resource.type) continue;
    const value = at(properties, property);
    if (value === undefined || accepted.includes(value)) continue;
    const message = `The value ${JSON.stringify(value)} of ${property} is not supported. Supported: ${accepted.join(', ')}.`;
    return { code: 'BadRequest', message };
  }
  return resource.type === 'Microsoft.Web/sites' ? onFlex(properties) : undefined;
}

/** A site with a `functionAppConfig` is one of Flex Consumption: no other plan has it. */
function onFlex(properties: unknown): ArmError | undefined {
  const siteConfig = at(properties, 'siteConfig');
  if (at(properties, 'functionAppConfig') === undefined || siteConfig === undefined) return undefined;
  // The provider does not mind upper and lower case, nor whether the value is null.
  const refused = Object.keys(siteConfig as object).filter((name) =>
    REFUSED_ON_FLEX.some((other) => other.toLowerCase() === name.toLowerCase()),
  );
  if (refused.length === 0) return undefined;
  const names = refused.map((name) => `Site.SiteConfig.${name.charAt(0).toUpperCase()}${name.slice(1)}`);
  const message =
    names.length === 1
      ? `The following site configuration property (${names[0] ?? ''}) for Flex Consumption sites is invalid.  Please remove or rename it before retrying.`
      : `The following list of ${names.length} site configuration properties (${names.join(', ')}) for Flex Consumption sites is invalid.  Please remove or rename them before retrying.`;
  return { code: 'BadRequest', message };
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, name) =>
        typeof inner === 'object' && inner !== null
          ? (inner as Readonly<Record<string, unknown>>)[name]
          : undefined,
      value,
    );
}
