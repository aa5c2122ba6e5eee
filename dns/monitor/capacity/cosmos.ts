/**
 * The most that a container of Cosmos DB scales to by itself, in request units a second. A serverless account has no
 * throughput of its own, and one that was set by hand is not ours to make automatic.
 * @see https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/sql-resources/update-sql-container-throughput
 * @see https://learn.microsoft.com/azure/cosmos-db/provision-throughput-autoscale
 */
import type { Scaler } from './level.ts';
import type { ResourceManager } from './resource-manager.ts';

const API_VERSION = '2024-11-15';
/** https://learn.microsoft.com/azure/cosmos-db/concepts-limits#autoscale-provisioned-throughput-limits */
const STEP = 1_000;
/** The maximum can be lowered to a tenth of the highest that there ever was: more could not be put back. */
const TIMES_MAX = 10;

interface Throughput {
  readonly autoscaleSettings?: { readonly maxThroughput: number; readonly targetMaxThroughput?: number };
  readonly softAllowedMaximumThroughput?: string;
  readonly offerReplacePending?: string;
}

/** @param id `/subscriptions/…/databaseAccounts/<account>/sqlDatabases/<database>/containers/<container>` */
export function cosmosMaxThroughput(manager: ResourceManager, id: string): Scaler {
  const settings = `${id}/throughputSettings/default`;
  const throughput = async (): Promise<Throughput> => {
    const found = await manager.call<{ properties?: { resource?: Throughput } }>(
      'GET',
      settings,
      API_VERSION,
    );
    return found.properties?.resource ?? {};
  };
  const isServerless = async (): Promise<boolean> => {
    const [account = ''] = id.split('/sqlDatabases/');
    const found = await manager.call<{ properties?: { capabilities?: readonly { name: string }[] } }>(
      'GET',
      account,
      API_VERSION,
    );
    return (found.properties?.capabilities ?? []).some(({ name }) => name === 'EnableServerless');
  };
  return {
    field: 'cosmosMaxThroughput',
    async read() {
      if (await isServerless()) return [];
      const { autoscaleSettings, offerReplacePending } = await throughput();
      if (autoscaleSettings === undefined) return [];
      const { maxThroughput, targetMaxThroughput } = autoscaleSettings;
      // What has been ordered counts: while it is under way, the old one is still shown.
      const level = offerReplacePending === 'true' ? (targetMaxThroughput ?? maxThroughput) : maxThroughput;
      const name = id.slice(id.lastIndexOf('/') + 1);
      return [{ name, level, price: { of: 'cosmosUnitHour', times: 1 } }];
    },
    async mistakes(parts, to) {
      const { softAllowedMaximumThroughput } = await throughput();
      const most = Number(softAllowedMaximumThroughput ?? Infinity);
      const tenfold = Math.min(...parts.map(({ level }) => level * TIMES_MAX));
      return [
        ...(to % STEP === 0 ? [] : [`cosmosMaxThroughput: ${to} is no multiple of ${STEP} (multipleOf)`]),
        ...(to <= most
          ? []
          : [`cosmosMaxThroughput: ${to} is more than the ${most} that the container may have (maximum)`]),
        ...(to <= tenfold
          ? []
          : [
              `cosmosMaxThroughput: ${to} is more than ${TIMES_MAX} times what it has, ${tenfold}: it could not be put back (maximum)`,
            ]),
      ];
    },
    async set(_, level) {
      const resource = { autoscaleSettings: { maxThroughput: level } };
      await manager.call('PUT', settings, API_VERSION, { properties: { resource } });
    },
  };
}
