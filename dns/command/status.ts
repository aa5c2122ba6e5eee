/** Where traffic stands, what is healthy, who holds the lock: as data. */
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import {
  checkKey,
  type RoutedType,
  type Sharing,
  type Strategy,
  type Target,
} from '@tandem-clouds/zone/model';
import { type Incident, incidentsIn } from '../incidents.ts';
import { overridesIn } from '../overrides.ts';
import { makePlan } from '../plan/plan.ts';
import type { Policy } from '../policy/policy.ts';
import type { Provider } from '../provider.ts';

export interface SharingStatus {
  readonly strategy: Strategy;
  /** `healthy` absent: the provider does not know, or nothing is checked. */
  readonly targets: readonly (Target & { readonly healthy?: boolean | undefined })[];
}

export interface NameStatus extends SharingStatus {
  readonly name: string;
  readonly type: RoutedType;
  readonly routes?: readonly (SharingStatus & { readonly path: string })[];
}

export interface Status {
  readonly zone: string;
  /** Site → percent, of those that stand beside the policy. */
  readonly overrides: Readonly<Record<string, number>>;
  readonly lock: LockNote | undefined;
  /** As all monitors see them, closed ones too. */
  readonly incidents: readonly Incident[];
  /** Records that differ from the policy. */
  readonly pending: number;
  readonly names: readonly NameStatus[];
}

/** @throws ProviderError */
export async function statusOf(policy: Policy, provider: Provider): Promise<Status> {
  const live = await provider.read();
  const [health, lock] = [await provider.health(), await provider.readLock()];
  const withHealth = ({ strategy, targets }: Sharing): SharingStatus => ({
    strategy,
    targets: targets.map((target) => ({
      ...target,
      healthy: target.check && health.get(checkKey(target.check)),
    })),
  });
  return {
    zone: policy.zone,
    overrides: Object.fromEntries(overridesIn(live.records, policy.zone)),
    lock,
    incidents: incidentsIn(live.records, policy.zone),
    pending: makePlan(policy, provider, live).changes.length,
    names: live.records
      .filter((record) => record.kind === 'routed')
      .map((record) => ({
        name: record.name,
        type: record.type,
        ...withHealth(record),
        ...(record.routes && {
          routes: record.routes.map((route) => ({ path: route.path, ...withHealth(route) })),
        }),
      })),
  };
}
