/** Asks one site. A site that does not answer is a finding, not an exception. */
import type { Cause } from '../../../src/shared/operations/dead-letter-service.ts';
import type { PendingView } from '../../../src/shared/operations/pending-view.ts';
import type { ReplicationView } from '../../../src/shared/operations/replication-view.ts';
import type { QueueDepths } from '../../../src/shared/ports/dead-letter-box.ts';
import { explain, getJson } from './get-json.ts';
import { type KeysView, OperatorApi } from './operator-api.ts';
import { readReplication } from './read-replication.ts';
import type { Target } from './targets.ts';

/** What one site said. */
export interface SiteReport {
  readonly url: string;
  readonly site?: string;
  readonly replication?: ReplicationView;
  readonly queues?: QueueDepths;
  readonly pending?: PendingView;
  /** Records with a reaction that is due. */
  readonly waiting?: KeysView;
  /** Records on which nothing is left but what is parked. */
  readonly parked?: KeysView;
  /** Why that is not known; a release that knows nothing of reactions is no reason to be alarmed. */
  readonly parkedProblem?: string;
  /** Why messages were dead-lettered there, and about which keys. */
  readonly causes?: readonly Cause[];
  /** Why there is no `replication`. */
  readonly problem?: string;
  /** Why there are no `queues` although there should be. */
  readonly queueProblem?: string;
  /** Why there is no `pending` although it was asked for. */
  readonly pendingProblem?: string;
  /** The same of `causes`. */
  readonly causesProblem?: string;
}

export interface Questions {
  /** Whether the keys at risk are asked for, which only operators may. */
  readonly keys: boolean;
  /** With them the keys of dead letters; not again and again, because SQS hides those that are looked at. */
  readonly watch: boolean;
  /** For how long what only operators may ask is waited for; absent: as long as a gateway waits. */
  readonly withinMs?: number;
}

/** Never rejects. */
export async function querySite(target: Target, { keys, watch, withinMs }: Questions): Promise<SiteReport> {
  const { url, operatorKey } = target;
  const api = new OperatorApi(target, withinMs);
  const [replication, depths, reactions, pending, causes] = await Promise.all([
    attempt(async () => readReplication(await getJson(new URL('/replication', url)))),
    operatorKey === undefined ? undefined : attempt(() => api.queues()),
    operatorKey === undefined ? undefined : attempt(() => api.reactions()),
    keys ? attempt(() => api.pending()) : undefined,
    keys && !watch ? attempt(async () => (await api.causes()).causes) : undefined,
  ]);
  const site = replication.value?.site ?? target.site;
  return {
    url,
    ...(site !== undefined && { site }),
    ...(replication.value ? { replication: replication.value } : { problem: replication.problem }),
    ...(depths && (depths.value ? { queues: depths.value } : { queueProblem: depths.problem })),
    ...(reactions &&
      (reactions.value
        ? { waiting: reactions.value.waiting, parked: reactions.value.parked }
        : { parkedProblem: reactions.problem })),
    ...(pending && (pending.value ? { pending: pending.value } : { pendingProblem: pending.problem })),
    ...(causes && (causes.value ? { causes: causes.value } : { causesProblem: causes.problem })),
  };
}

type Attempt<T> =
  { readonly value: T; readonly problem?: never } | { readonly value?: never; readonly problem: string };

async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    return { problem: explain(error) };
  }
}
