/**
 * What each probe of a first check calls, which right or setting it needs, what its refusal means and how that is mended.
 * Data: a new probe (`src/shared/adapters/{aws,azure}/probes.ts`, `peer-probes.ts`) needs a row here, and a test says so.
 */

export type Cloud = 'aws' | 'azure';

/** One reading of a refusal: the first whose `when` is in what was seen counts. */
export interface Refusal {
  readonly when: RegExp;
  readonly means: string;
  readonly mend: string;
}

export interface ProbeRow {
  readonly id: string;
  readonly calls: Readonly<Partial<Record<Cloud, string>>>;
  /** The right or the setting. */
  readonly needs: Readonly<Partial<Record<Cloud, string>>>;
  readonly refusals: readonly Refusal[];
  /** Nothing that the product does is lost by a refusal; `refusals` says why. */
  readonly isHarmless?: boolean;
  readonly source: string;
}

const COSMOS_RIGHTS = 'https://learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security';
const DYNAMO_RIGHTS =
  'https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html';
const SQS_RIGHTS = 'https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html';
const ITEMS = 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers';

const store = (id: string, aws: string | undefined, azure: string | undefined): ProbeRow => ({
  id,
  calls: {
    ...(aws !== undefined && { aws: aws.split(' ')[0] ?? '' }),
    ...(azure !== undefined && { azure: id.split('.')[1] ?? '' }),
  },
  needs: {
    ...(aws !== undefined && { aws: `dynamodb:${aws}, of OperationsRole (infra/aws/roles.yml)` }),
    ...(azure !== undefined && { azure: `${ITEMS}/${azure} (infra/azure/parts/roles.json)` }),
  },
  refusals: [],
  source: azure === undefined ? DYNAMO_RIGHTS : COSMOS_RIGHTS,
});

/** What a refusal means wherever a row says nothing of its own, most specific first. */
export const COMMON: Readonly<Record<Cloud, readonly Refusal[]>> = {
  aws: [
    {
      when: /explicit deny|service control policy|permissions boundary/i,
      means: 'a policy above the role forbids it',
      mend: 'ask who owns the organisation’s service control policies, or the boundary given as --param permissionsBoundary',
    },
    {
      when: /AccessDenied|not authorized to perform/,
      means: 'the role of the function lacks the right',
      mend: 'deploy the release again: its template gives the right; a role that was edited by hand is put back by that',
    },
    {
      when: /UnrecognizedClient|InvalidClientTokenId|ExpiredToken|security token/i,
      means: 'the function’s credentials are not taken',
      mend: 'is the region enabled in this account? (aws account list-regions)',
    },
  ],
  azure: [
    {
      when: /\b403\b|Forbidden|RBAC|UnauthorizedAccess|Unauthorized|\b401\b/i,
      means: 'the identity of the app lacks the right, or Azure does not know of it yet',
      mend: 'role assignments take some minutes; then deploy again, by somebody who may assign roles (docs/deploy.md, step 0)',
    },
    {
      when: /ManagedIdentityCredential|CredentialUnavailable|ChainedTokenCredential/,
      means: 'the app has no identity that gives a token',
      mend: 'is the system-assigned identity on? az functionapp identity show; then deploy again',
    },
  ],
};

/** At both clouds, after the others. */
export const ANYWHERE: readonly Refusal[] = [
  {
    when: /EPROTO|ERR_SSL|ERR_TLS|SSL routines|alert (protocol version|handshake)/i,
    means: 'the two ends agree on no version or suite of TLS',
    mend: 'something between them speaks for the service (a proxy, a firewall), or demands less than 1.3 (decision 0067)',
  },
  {
    when: /CERT|self.signed|unable to verify/i,
    means: 'the certificate is not that of the service',
    mend: 'something between them speaks for the service: a proxy that opens TLS',
  },
  {
    when: /ResourceNotFound|NonExistentQueue|QueueDoesNotExist|MessagingEntityNotFound|\b404\b|NotFound/,
    means: 'what the configuration names is not there',
    mend: 'compare the parameters of this deployment with the outputs of the one that made it (docs/deploy.md)',
  },
  {
    when: /ENOTFOUND|EAI_AGAIN/,
    means: 'the name of the service is not known from inside the function',
    mend: 'is the name right? With the feature network: does the private DNS zone exist, or the endpoint?',
  },
  {
    when: /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|no answer within|no handshake within|Timeout/i,
    means: 'nobody answers from inside the function',
    mend: 'with the feature network: 443 and 5671 must be open outwards (docs/network.md); else is the service up in this region?',
  },
  {
    when: /Throttl|\b429\b|ServiceBusy|TooManyRequests/i,
    means: 'the service is out of budget for this account',
    mend: 'ask again; if it stays without traffic, a quota of the account is used up elsewhere',
  },
];

export const PROBES: readonly ProbeRow[] = [
  store('store.create', undefined, 'items/create'),
  store('store.read', 'GetItem on the table', 'items/read'),
  store('store.read-many', 'BatchGetItem on the table', 'items/read'),
  store('store.replace', undefined, 'items/replace'),
  {
    id: 'store.write',
    calls: { aws: 'PutItem with a condition that cannot hold' },
    needs: { aws: 'dynamodb:PutItem on the table, of OperationsRole (infra/aws/roles.yml)' },
    refusals: [],
    source: DYNAMO_RIGHTS,
  },
  {
    ...store('store.patch', 'UpdateItem on the table', 'items/replace'),
    calls: {
      aws: 'UpdateItem with a condition that cannot hold',
      azure: 'a bulk request with one Patch on condition',
    },
    refusals: [
      {
        when: /RBAC|\b403\b/,
        means: 'a Patch needs another right than a replacement, against what the documentation says',
        mend: 'name the action of the message in infra/azure/parts/roles.json and deploy again; markers are not cleared until then',
      },
    ],
  },
  store('store.remove', undefined, 'items/delete'),
  {
    ...store('store.list', 'Query on the index by_type', 'executeQuery'),
    calls: { aws: 'Query', azure: 'an ordered query, with the query plan that the SDK asks for' },
    refusals: [
      {
        when: /executeQuery|readChangeFeed|QueryPlan/i,
        means: 'queries through an SDK need executeQuery and readChangeFeed, query plans included',
        mend: 'are both in the role "Tandem records"? (az cosmosdb sql role definition list); then deploy again',
      },
    ],
  },
  store('store.pending', 'Query on the index pending', 'executeQuery'),
  {
    ...store('store.due', 'Query on the index due', 'executeQuery'),
    refusals: [
      {
        when: /does not have the specified index|composite index/,
        means:
          'the index of reactions is not there: what is due is done by messages only, and what is lost waits for ever',
        mend: 'deploy this release again: it makes the index due (on AWS one index at a time, decision 0108), and what waits is in it as soon as it is filled',
      },
    ],
  },
  store('store.scan', undefined, 'readChangeFeed'),
  {
    id: 'store.nul',
    calls: { azure: 'writes U+0000 inside a text, reads it and compares' },
    needs: { azure: 'no right: no page says whether Cosmos DB keeps the character' },
    refusals: [
      {
        when: /./,
        means:
          'Cosmos DB does not keep U+0000, which clients may send and DynamoDB keeps: such records cannot cross',
        mend: 'refuse it at the boundary of both sites (src/shared/http/json-text.ts) before there is traffic',
      },
    ],
    source: 'https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits',
  },
  {
    id: 'store.surrogate',
    calls: { azure: 'writes half a surrogate pair inside a text, reads it and compares' },
    needs: { azure: 'no right: RFC 8259, section 8.2, leaves it to the receiver' },
    refusals: [
      {
        when: /./,
        means: 'Cosmos DB does not keep it; requests that hold it are refused at the boundary with 400',
        mend: 'nothing to do',
      },
    ],
    isHarmless: true,
    source: 'https://www.rfc-editor.org/rfc/rfc8259#section-8.2',
  },
  {
    id: 'queue.send',
    calls: { aws: 'SendMessageBatch with a message that is dropped', azure: 'a send link and one message' },
    needs: {
      aws: 'sqs:SendMessage on the queue, of OperationsRole (infra/aws/roles.yml)',
      azure:
        'Azure Service Bus Data Owner on the queue, Data Sender on tandem-dead (infra/azure/parts/roles.json)',
    },
    // Without tandem-react only the quick path of reactions is lost: the sweep wakes what is due.
    refusals: [],
    source: SQS_RIGHTS,
  },
  {
    id: 'queue.receive',
    calls: {
      aws: 'ReceiveMessage and ChangeMessageVisibility',
      azure: 'a receive link, and completes its own message',
    },
    needs: {
      aws: 'sqs:ReceiveMessage and sqs:ChangeMessageVisibility on tandem-dead',
      azure: 'Azure Service Bus Data Receiver on tandem-dead',
    },
    refusals: [],
    source:
      'https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/integration#azure-service-bus-data-receiver',
  },
  {
    id: 'queue.settle',
    calls: { aws: 'DeleteMessageBatch with a receipt that is none' },
    needs: { aws: 'sqs:DeleteMessage on tandem-dead' },
    refusals: [],
    source:
      'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html',
  },
  {
    id: 'queue.depth',
    calls: {
      aws: 'GetQueueAttributes of three queues',
      azure: 'GET of each queue at Azure Resource Manager: its counts, and those of its dead-letter queue',
    },
    needs: {
      aws: 'sqs:GetQueueAttributes on the queues',
      azure:
        'Microsoft.ServiceBus/namespaces/queues/read on all six queues, which Data Sender, Receiver and Owner have',
    },
    refusals: [
      {
        when: /Resource Manager, queue .*: 40[134]|no token for Azure Resource Manager/,
        means: 'operators cannot see how many messages wait; nothing else asks for it',
        mend: 'deploy again, so that the app has its roles on the queues and SERVICE_BUS_ID is the id of their namespace; a role takes some minutes to be known',
      },
    ],
    source: 'https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/integration',
  },
  {
    id: 'queue.count',
    calls: { azure: 'GET of a queue’s description, as the platform asks before it scales' },
    needs: {
      azure: 'Azure Service Bus Data Owner on the queues with a trigger (infra/azure/parts/roles.json)',
    },
    refusals: [
      {
        when: /HTTP 40[13]/,
        means:
          'the platform cannot see how long the queue is: it keeps one instance, or none, however long it grows',
        mend: 'deploy again so that the app owns the queues that trigger it (decision 0050); it takes some minutes to be known',
      },
    ],
    source:
      'https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger#scaling',
  },
  {
    id: 'federation.token',
    calls: {
      aws: 'sts:GetWebIdentityToken',
      azure: 'the app’s identity, for a token made out to the peer’s audience',
    },
    needs: {
      aws: 'outbound identity federation, switched on once for the account; --param federation=azure',
      azure: 'a managed identity, and an application in its tenant with that ID URI',
    },
    refusals: [
      {
        when: /OutboundWebIdentityFederationDisabled/,
        means: 'outbound identity federation is off in this account: nothing can cross to Azure',
        mend: 'aws iam enable-outbound-web-identity-federation, and give its issuer to the Azure site as awsIssuer',
      },
      {
        when: /AccessDenied|not authorized to perform: sts:GetWebIdentityToken/,
        means: 'the role may not ask for such a token',
        mend: 'deploy with --param federation=azure (infra/aws/federation.yml, VouchForSenders)',
      },
      {
        when: /AADSTS500011|resource principal/i,
        means: 'the tenant has no application with the audience’s ID URI',
        mend: 'az ad app create --display-name tandem-peers --identifier-uris <audience> && az ad sp create --id <audience>',
      },
    ],
    source: 'https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html',
  },
  {
    id: 'federation.exchange',
    calls: { aws: 'Entra, for a token of the peer’s identity', azure: 'sts:AssumeRoleWithWebIdentity' },
    needs: {
      aws: 'a federated credential of the peer’s identity: this account’s issuer, the ARN of the function’s role',
      azure: 'an OIDC provider and a role at AWS that trust the tenant, the audience and the app’s identity',
    },
    refusals: [
      {
        when: /AADSTS7002|AADSTS70021/,
        means: 'no federated credential there fits the issuer, the subject or the audience of the token',
        mend: 'deploy the Azure site with awsIssuer and awsSubjects of this account (docs/deploy.md, step 4); Entra takes some minutes',
      },
      {
        when: /AADSTS90002|AADSTS700016|tenant/i,
        means: 'the tenant, or the identity in it, is not the one that the peer names',
        mend: 'tenantId and clientId of the peer are the outputs tenantId and peerSenderClientId of the Azure site',
      },
      {
        when: /InvalidIdentityToken|No OpenIDConnect provider/i,
        means:
          'AWS does not take the token: no provider for its issuer, or another audience; a token of version 2 names both differently',
        mend: 'deploy the AWS site with federation=azure, azureTenantId and azureAudience (infra/aws/federation.yml)',
      },
      {
        when: /AccessDenied|not authorized/i,
        means: 'the role at AWS does not trust this app’s identity',
        mend: 'give principalId of this site to the AWS site as azurePrincipalIds and deploy it',
      },
    ],
    source: 'https://learn.microsoft.com/entra/workload-id/workload-identity-federation',
  },
  {
    id: 'peer.send',
    calls: { aws: 'a message to a queue of the peer', azure: 'a message to a queue of the peer' },
    needs: {
      aws: 'the identity at the peer may send there (infra/azure/parts/federation.json)',
      azure: 'the role at the peer may send there (infra/aws/federation.yml, PeerSender)',
    },
    refusals: [
      {
        when: /cannot be assumed|does not vouch|gives no token|has no token|no AWS credentials/,
        means: 'the sign-in fails before anything is sent',
        mend: 'mend the finding of federation.token or federation.exchange of the same peer first',
      },
    ],
    source: 'https://learn.microsoft.com/azure/service-bus-messaging/service-bus-managed-service-identity',
  },
  {
    id: 'peer.objects',
    calls: { aws: 'HEAD of an object that is not there', azure: 'HEAD of an object that is not there' },
    needs: {
      aws: 'the identity at the peer may read its container: Storage Blob Data Reader (infra/azure/parts/objects.json)',
      azure: 'the role at the peer may read its bucket (infra/aws/features/objects.yml, ObjectReads)',
    },
    refusals: [
      {
        when: /cannot be assumed|does not vouch|gives no token|has no token|no AWS credentials|no token for Blob/,
        means: 'the sign-in fails before anything is read',
        mend: 'mend the finding of federation.token or federation.exchange of the same peer first',
      },
      {
        when: /403|AccessDenied|AuthorizationPermissionMismatch/,
        means: 'objects that were uploaded there are not fetched: they would be lost with that site',
        mend: 'deploy the peer with its feature objects on; on Azure a role takes some minutes to be known',
      },
    ],
    source:
      'https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage#storage-blob-data-reader',
  },
  {
    id: 'tls',
    calls: { aws: 'a handshake', azure: 'a handshake' },
    needs: {
      aws: 'TLS 1.2 at least, 1.3 where it is demanded',
      azure: 'TLS 1.2 at least, 1.3 where it is demanded',
    },
    refusals: [],
    source: 'https://www.rfc-editor.org/rfc/rfc8446',
  },
  {
    id: 'host.timer',
    calls: { aws: 'reads when the sweeper last ran', azure: 'reads when the sweeper last ran' },
    needs: {
      aws: 'the schedule of sweep, and the right of its role to write',
      azure: 'the timer trigger; its lease needs Storage Blob Data Owner on the app’s storage account',
    },
    refusals: [
      {
        when: /never run|old/,
        means: 'the timer does not run: nothing is swept, and no heartbeat crosses',
        mend: 'within two minutes of a deployment ask again; then look at the log of sweep, and on Azure whether the app lists its functions (az functionapp function list)',
      },
    ],
    source: 'https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer',
  },
  {
    id: 'host.memory',
    calls: {
      aws: 'what the process holds of the memory it has',
      azure: 'what the process holds of the memory it has',
    },
    needs: { aws: 'memorySize (serverless.aws.yml)', azure: 'instanceMemoryMB' },
    refusals: [
      {
        when: /are in use/,
        means: 'the process is near the end of its memory before there is traffic',
        mend: 'Azure: --param instanceMemoryMB=2048; AWS: a larger memorySize of the function',
      },
    ],
    source: 'https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#instance-sizes',
  },
  {
    id: 'http.health',
    calls: { aws: 'GET /health/deep', azure: 'GET /health/deep' },
    needs: { aws: 'the rights of HealthRole', azure: 'the app starts and lists its functions' },
    refusals: [
      {
        when: /HTTP 404|HTTP 500/,
        means: 'the host knows no such function, or the function cannot start',
        mend: 'the function’s log names every variable that is wrong; az functionapp function list shows what the host has found',
      },
    ],
    source: 'https://learn.microsoft.com/azure/azure-functions/functions-recover-storage-account',
  },
  {
    id: 'http.replication',
    calls: { aws: 'GET /replication', azure: 'GET /replication' },
    needs: { aws: 'the rights of ReplicationRole', azure: 'queries, as store.pending' },
    refusals: [],
    source: DYNAMO_RIGHTS,
  },
  {
    id: 'triggers',
    calls: { aws: 'waits until the queues are empty', azure: 'waits until the queues are empty' },
    needs: {
      aws: 'the event source mappings, with the roles of forward and apply',
      azure: 'the Service Bus triggers: the host has found the functions and may listen',
    },
    refusals: [
      {
        when: /./,
        means: 'nobody takes what lies in the queues: messages were sent there, and the functions do not run',
        mend: 'Azure: the log of the host says why its listener does not start (a right, TLS: decision 0067); AWS: aws lambda list-event-source-mappings, and the account’s concurrency (aws lambda get-account-settings)',
      },
    ],
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html',
  },
];
