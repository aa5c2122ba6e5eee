/**
 * Always-ready instances for HTTP of an app on Flex Consumption. An app on another plan has none.
 * @see https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#always-ready-instances
 */
import type { Scaler } from './level.ts';
import type { ResourceManager } from './resource-manager.ts';

const API_VERSION = '2024-04-01';
/** All functions with an HTTP trigger scale together. */
const GROUP = 'http';
const MB_PER_GB = 1_024;

interface AlwaysReady {
  readonly name: string;
  readonly instanceCount: number;
}

interface AppConfig {
  readonly scaleAndConcurrency?: {
    readonly alwaysReady?: readonly AlwaysReady[] | null;
    readonly maximumInstanceCount?: number;
    readonly instanceMemoryMB?: number;
  };
}

/** @param id `/subscriptions/…/providers/Microsoft.Web/sites/<app>` */
export function alwaysReady(manager: ResourceManager, id: string): Scaler {
  const config = async (): Promise<AppConfig | undefined> => {
    const app = await manager.call<{ properties?: { functionAppConfig?: AppConfig | null } }>(
      'GET',
      id,
      API_VERSION,
    );
    return app.properties?.functionAppConfig ?? undefined;
  };
  const groupsOf = (found: AppConfig | undefined): readonly AlwaysReady[] =>
    found?.scaleAndConcurrency?.alwaysReady ?? [];
  return {
    field: 'alwaysReady',
    async read() {
      const found = await config();
      if (found === undefined) return [];
      const level = groupsOf(found).find(({ name }) => name === GROUP)?.instanceCount ?? 0;
      const times = (found.scaleAndConcurrency?.instanceMemoryMB ?? 0) / MB_PER_GB;
      return [{ name: GROUP, level, price: { of: 'flexGbHour', times } }];
    },
    async mistakes(_, to) {
      const found = await config();
      const most = found?.scaleAndConcurrency?.maximumInstanceCount ?? 0;
      const others = groupsOf(found)
        .filter(({ name }) => name !== GROUP)
        .reduce((sum, { instanceCount }) => sum + instanceCount, 0);
      return to + others <= most
        ? []
        : [
            `alwaysReady: ${to} and ${others} of other groups are more than the app's maximumInstanceCount, ${most} (maximum)`,
          ];
    },
    async set(_, level) {
      const found = await config();
      const others = groupsOf(found).filter(({ name }) => name !== GROUP);
      const groups = level === 0 ? others : [...others, { name: GROUP, instanceCount: level }];
      // The whole of it as it was read: a patch that leaves something out may take it away.
      const scaleAndConcurrency = { ...found?.scaleAndConcurrency, alwaysReady: groups };
      const properties = { functionAppConfig: { ...found, scaleAndConcurrency } };
      await manager.call('PATCH', id, API_VERSION, { properties });
    },
  };
}
