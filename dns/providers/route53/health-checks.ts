/**
 * Health checks of Route 53. One is never changed: another question is another check, made before the records point to
 * it, and the old one is a leftover after. Ours are known by their caller reference, which every listing returns; the
 * tags say the same to people and to the bill.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetHealthCheckStatusCommand,
  type HealthCheck as Route53Check,
  type HealthCheckConfig,
  ListHealthChecksCommand,
} from '@aws-sdk/client-route-53';
import { checkKey, type HealthCheck } from '@tandem-clouds/zone/model';
import type { Connection } from './client.ts';

const PAGE = 100;
/** Route 53 calls an endpoint healthy when more than so many of its checkers do: DNS failover guide. */
const HEALTHY_SHARE = 0.18;

export interface LiveCheck {
  readonly id: string;
  /** What it asks, or why the model cannot say it. */
  readonly queries: HealthCheck | string;
  readonly ours: boolean;
}

export async function listChecks(
  { client, query }: Connection,
  zoneId: string,
): Promise<readonly LiveCheck[]> {
  const found: LiveCheck[] = [];
  for (let marker: string | undefined, more = true; more;) {
    const command = new ListHealthChecksCommand({
      MaxItems: PAGE,
      ...(marker !== undefined && { Marker: marker }),
    });
    const page = await query(async () => client.send(command));
    found.push(...(page.HealthChecks ?? []).map((check) => understood(check, zoneId)));
    marker = page.NextMarker;
    more = page.IsTruncated === true && marker !== undefined;
  }
  return found;
}

function understood(
  { Id = '', CallerReference = '', HealthCheckConfig: config }: Route53Check,
  zoneId: string,
): LiveCheck {
  const ours = CallerReference.startsWith(referencePrefix(zoneId));
  return {
    id: Id,
    ours,
    queries: config === undefined ? 'a health check without settings' : queries(config),
  };
}

function queries(config: HealthCheckConfig): HealthCheck | string {
  const { Type, FullyQualifiedDomainName: name, IPAddress: address, Inverted, Disabled } = config;
  const host = name ?? address;
  if ((Type !== 'HTTP' && Type !== 'HTTPS') || host === undefined)
    return `a health check of the type ${Type ?? '?'}`;
  if (name !== undefined && address !== undefined) return 'a health check of an address under another name';
  if (Inverted === true || Disabled === true) return 'a health check that is inverted or disabled';
  return {
    protocol: Type === 'HTTP' ? 'http' : 'https',
    host,
    port: config.Port ?? (Type === 'HTTP' ? 80 : 443),
    path: config.ResourcePath ?? '/',
    intervalSeconds: config.RequestInterval ?? 30,
    failureThreshold: config.FailureThreshold ?? 3,
  };
}

/** Makes and tags one. Returns its id. */
export async function createCheck(
  { client, query }: Connection,
  check: HealthCheck,
  { zone, zoneId }: { readonly zone: string; readonly zoneId: string },
): Promise<string> {
  const digest = createHash('sha256').update(checkKey(check)).digest('hex').slice(0, 12);
  const create = new CreateHealthCheckCommand({
    // Chosen before the tries, so that a try whose answer was lost makes no second check.
    CallerReference: `${referencePrefix(zoneId)}${digest}/${randomBytes(4).toString('hex')}`,
    HealthCheckConfig: {
      Type: check.protocol === 'http' ? 'HTTP' : 'HTTPS',
      ...(isIP(check.host) === 0 ? { FullyQualifiedDomainName: check.host } : { IPAddress: check.host }),
      Port: check.port,
      ResourcePath: check.path,
      RequestInterval: check.intervalSeconds,
      FailureThreshold: check.failureThreshold,
      ...(check.protocol === 'https' && { EnableSNI: isIP(check.host) === 0 }),
    },
  });
  const { HealthCheck: made } = await query(async () => client.send(create));
  const id = made?.Id ?? '';
  const tags = new ChangeTagsForResourceCommand({
    ResourceType: 'healthcheck',
    ResourceId: id,
    AddTags: [
      { Key: 'Name', Value: `${zone} ${check.host}`.slice(0, 255) },
      { Key: 'tandem:zone', Value: zone },
    ],
  });
  await query(async () => client.send(tags));
  return id;
}

export async function deleteCheck({ client, query }: Connection, id: string): Promise<void> {
  await query(async () => client.send(new DeleteHealthCheckCommand({ HealthCheckId: id })));
}

/** Undefined while no checker has reported. */
export async function isHealthy({ client, query }: Connection, id: string): Promise<boolean | undefined> {
  const { HealthCheckObservations: seen = [] } = await query(async () =>
    client.send(new GetHealthCheckStatusCommand({ HealthCheckId: id })),
  );
  const reported = seen.flatMap(({ StatusReport }) => StatusReport?.Status ?? []);
  if (reported.length === 0) return undefined;
  return reported.filter((status) => status.startsWith('Success')).length / reported.length > HEALTHY_SHARE;
}

/** At most 64 characters in all. */
function referencePrefix(zoneId: string): string {
  return `tandem/${zoneId}/`;
}
