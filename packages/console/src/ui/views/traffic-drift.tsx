/** Where the zone differs from the policy: what would change, and making exactly that change. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PlanView, TrafficJob, TrafficView } from '../../server/traffic-view.ts';
import { ask } from '../api.ts';
import { count } from '../format.ts';
import { confirmed } from '../parts/confirm.tsx';
import { doing } from '../parts/say.tsx';
import { orderPath } from '../shares.ts';
import { Diff } from './traffic-diff.tsx';
import type { ActingProps } from './traffic-move.tsx';

export function Drift({ view, isBusy, onChange }: ActingProps & { view: TrafficView }): JSX.Element {
  const [plan, setPlan] = useState<PlanView>();
  const look = async (): Promise<void> =>
    setPlan(
      await doing(
        () => ask<PlanView>('/api/traffic/plan'),
        ({ isEmpty }) => (isEmpty ? 'The zone is as the policy says.' : 'Nothing is changed by this.'),
      ),
    );
  const apply = async ({ hash }: PlanView): Promise<void> => {
    const why = await confirmed({
      title: 'Make the zone as the policy says',
      will: [
        'Exactly the changes that are shown are made, or none of them.',
        'When the zone or the policy has changed since, it is refused.',
        'A site that was drained or failed over stays out: Restore brings it back.',
      ],
      act: 'Apply it',
      isDangerous: true,
    });
    if (why === undefined) return;
    await doing(
      () => ask<TrafficJob>(orderPath({ kind: 'apply', hash }), { method: 'POST', body: { hash }, why }),
      ({ what }) => `Begun: ${what}.`,
    );
    setPlan(undefined);
    onChange();
  };
  return (
    <section aria-label="Zone and policy">
      <h2>Zone and policy</h2>
      <p>
        {view.pending === 0
          ? 'The zone is as the policy says, where traffic stands apart.'
          : `${count(view.pending, 'record')} of the zone ${view.pending === 1 ? 'differs' : 'differ'} from the policy.`}{' '}
        <button type="button" onClick={() => void look()}>
          Show the plan
        </button>
      </p>
      {plan !== undefined && (
        <div class="card">
          <Diff text={plan.text} label="The plan" />
          {!plan.isEmpty && (
            <button type="button" class="danger" disabled={isBusy} onClick={() => void apply(plan)}>
              Apply exactly this …
            </button>
          )}
        </div>
      )}
    </section>
  );
}
