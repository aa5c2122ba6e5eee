/**
 * What an auditor asks of each resource, and where a template says it: encryption, who can reach it, how long it is kept.
 *
 * Invariant: every type of resource that a definition can make is here, or among those that keep and pass on nothing of their
 * own; a test holds it against both definitions.
 */

export type Question = 'encryption' | 'access' | 'retention';

/** Property of a resource → what it is evidence of. A dot goes down; of a list each element is looked at. */
type Properties = Readonly<Record<string, Question>>;

export const PROPERTIES: Readonly<Record<string, Properties>> = {
  'AWS::DynamoDB::Table': {
    'SSESpecification.SSEEnabled': 'encryption',
    'PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled': 'retention',
    'TimeToLiveSpecification.Enabled': 'retention',
  },
  'AWS::SQS::Queue': { SqsManagedSseEnabled: 'encryption', MessageRetentionPeriod: 'retention' },
  'AWS::SQS::QueuePolicy': { PolicyDocument: 'access' },
  'AWS::SNS::Topic': { KmsMasterKeyId: 'encryption' },
  'AWS::SNS::TopicPolicy': { PolicyDocument: 'access' },
  'AWS::S3::Bucket': {
    BucketEncryption: 'encryption',
    PublicAccessBlockConfiguration: 'access',
    OwnershipControls: 'access',
    VersioningConfiguration: 'retention',
    LifecycleConfiguration: 'retention',
    ObjectLockConfiguration: 'retention',
  },
  'AWS::S3::BucketPolicy': { PolicyDocument: 'access' },
  'AWS::KMS::Key': { EnableKeyRotation: 'encryption', KeyPolicy: 'access' },
  'AWS::Logs::LogGroup': { RetentionInDays: 'retention', KmsKeyId: 'encryption' },
  'AWS::EC2::SecurityGroup': { SecurityGroupEgress: 'access', SecurityGroupIngress: 'access' },
  'AWS::EC2::VPCEndpoint': { PolicyDocument: 'access' },
  'AWS::CloudFront::Distribution': { 'DistributionConfig.ViewerCertificate': 'encryption' },
  'AWS::WAFv2::WebACL': { Rules: 'access' },
  'AWS::Cognito::UserPool': { Policies: 'access', MfaConfiguration: 'access' },
  'AWS::ApiGatewayV2::DomainName': { 'DomainNameConfigurations.SecurityPolicy': 'encryption' },
  'Microsoft.DocumentDB/databaseAccounts': {
    minimalTlsVersion: 'encryption',
    disableLocalAuth: 'access',
    publicNetworkAccess: 'access',
    backupPolicy: 'retention',
  },
  'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers': { 'resource.defaultTtl': 'retention' },
  'Microsoft.ServiceBus/namespaces': { minimumTlsVersion: 'encryption', disableLocalAuth: 'access' },
  'Microsoft.ServiceBus/namespaces/queues': { defaultMessageTimeToLive: 'retention' },
  'Microsoft.Storage/storageAccounts': {
    minimumTlsVersion: 'encryption',
    supportsHttpsTrafficOnly: 'encryption',
    allowSharedKeyAccess: 'access',
    allowBlobPublicAccess: 'access',
    publicNetworkAccess: 'access',
    networkAcls: 'access',
  },
  'Microsoft.Storage/storageAccounts/blobServices': {
    isVersioningEnabled: 'retention',
    deleteRetentionPolicy: 'retention',
    containerDeleteRetentionPolicy: 'retention',
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers': { publicAccess: 'access' },
  'Microsoft.Storage/storageAccounts/managementPolicies': { policy: 'retention' },
  'Microsoft.KeyVault/vaults': {
    enableRbacAuthorization: 'access',
    publicNetworkAccess: 'access',
    softDeleteRetentionInDays: 'retention',
  },
  'Microsoft.OperationalInsights/workspaces': {
    retentionInDays: 'retention',
    'features.disableLocalAuth': 'access',
  },
  'Microsoft.Insights/components': { DisableLocalAuth: 'access' },
  'Microsoft.Web/sites': { httpsOnly: 'encryption', 'siteConfig.minTlsVersion': 'encryption' },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': { allow: 'access' },
  'Microsoft.Cdn/profiles/customDomains': { 'tlsSettings.minimumTlsVersion': 'encryption' },
  'Microsoft.Cdn/profiles/afdEndpoints/routes': { httpsRedirect: 'encryption' },
  'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies': { 'policySettings.mode': 'access' },
  'Microsoft.Network/networkSecurityGroups': { securityRules: 'access' },
};

export interface Resource {
  readonly name: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Fact {
  readonly resource: string;
  readonly type: string;
  readonly property: string;
  /** Null: the template does not say it, so it is as the vendor's default is. */
  readonly value: unknown;
}

export function factsAbout(question: Question, resources: readonly Resource[]): readonly Fact[] {
  return resources.flatMap(({ name, type, properties }) =>
    Object.entries(PROPERTIES[type] ?? {}).flatMap(([property, asked]) =>
      asked === question
        ? [{ resource: name, type, property, value: valueAt(properties, property.split('.')) ?? null }]
        : [],
    ),
  );
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(value)) return value.map((each) => valueAt(each, path));
  if (typeof value !== 'object' || value === null) return undefined;
  return valueAt((value as Readonly<Record<string, unknown>>)[first], rest);
}
