/** Reads a hosted zone, page by page. */
import {
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  type ResourceRecordSet,
  type RRType,
} from '@aws-sdk/client-route-53';
import { ProviderError } from '../../errors.ts';
import type { Connection } from './client.ts';
import { nameFrom } from './text.ts';

/** https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html */
const PAGE = 300;

/** The id of the public zone of this name. @throws ProviderError not-found, or naming the candidates. */
export async function findZone({ client, query }: Connection, zone: string): Promise<string> {
  const page = await query(async () => client.send(new ListHostedZonesByNameCommand({ DNSName: zone })));
  const ids = (page.HostedZones ?? [])
    .filter(({ Name, Config }) => nameFrom(Name ?? '') === zone && Config?.PrivateZone !== true)
    .map(({ Id = '' }) => Id.replace('/hostedzone/', ''));
  const [id] = ids;
  if (id === undefined) throw new ProviderError('not-found', `Route 53 has no public hosted zone ${zone}`);
  if (ids.length > 1) {
    throw new ProviderError(
      'rejected',
      `there are several zones ${zone}; set zoneId to one of ${ids.join(', ')}`,
    );
  }
  return id;
}

/** Every record set of the zone. */
export async function listSets(
  { client, query }: Connection,
  zoneId: string,
): Promise<readonly ResourceRecordSet[]> {
  const sets: ResourceRecordSet[] = [];
  let from: Partial<ListResourceRecordSetsCommandInput> | undefined = {};
  while (from !== undefined) {
    const input: ListResourceRecordSetsCommandInput = { HostedZoneId: zoneId, MaxItems: PAGE, ...from };
    const page = await query(async () => client.send(new ListResourceRecordSetsCommand(input)));
    sets.push(...(page.ResourceRecordSets ?? []));
    const { IsTruncated, NextRecordName, NextRecordType, NextRecordIdentifier } = page;
    from =
      IsTruncated === true && NextRecordName !== undefined
        ? {
            StartRecordName: NextRecordName,
            StartRecordType: NextRecordType,
            ...(NextRecordIdentifier !== undefined && { StartRecordIdentifier: NextRecordIdentifier }),
          }
        : undefined;
  }
  return sets;
}

/** The first record set at or after this name and type. */
export async function firstSet(
  { client, query }: Connection,
  zoneId: string,
  { name, type }: { readonly name: string; readonly type: RRType },
): Promise<ResourceRecordSet | undefined> {
  const input = { HostedZoneId: zoneId, StartRecordName: name, StartRecordType: type, MaxItems: 1 };
  const page = await query(async () => client.send(new ListResourceRecordSetsCommand(input)));
  return page.ResourceRecordSets?.[0];
}
