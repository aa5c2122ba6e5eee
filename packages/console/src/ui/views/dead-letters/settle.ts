/** Replays or discards letters: first it is counted what would be, then a person is asked, then it is done. */
import type { CausesView, SettledView } from '@tandem-clouds/operator/operator-api';
import { settleLetters, type Settling } from '@tandem-clouds/operator/settle-letters';
import { pause } from '@tandem-clouds/storefront/pause';
import { ofSite } from '../../api.ts';
import { count } from '../../format.ts';
import { confirmed } from '../../parts/confirm.tsx';
import { begin, runs } from '../../parts/run.tsx';
import { doing, say } from '../../parts/say.tsx';

export const settling = runs();

export interface SettleRequest {
  readonly site: string;
  readonly action: Settling;
  /** `ids`, `source` and `reason`, as the routes take them. */
  readonly selection: Readonly<Record<string, unknown>>;
  /** What is meant, in words: `3 letters of tandem-in`. */
  readonly what: string;
  /** Letters a second. */
  readonly rate: number;
}

/** What would be settled now. @throws ApiError */
export function dryRun({ site, action, selection }: SettleRequest): Promise<SettledView> {
  return ofSite<SettledView>(site, `replication/dead-letters/${action}`, {
    method: 'POST',
    body: { ...selection, dryRun: true },
    why: 'a dry run',
  });
}

/** @returns Whether it was done, to the end or in part. */
export async function settle(request: SettleRequest): Promise<boolean> {
  const { site, action, selection, what, rate } = request;
  const seen = await doing(
    async () => {
      // By the site's clock: a letter that comes back is not met again.
      const { now } = await ofSite<CausesView>(site, 'replication/dead-letters');
      return { before: now, counted: await dryRun({ ...request, selection: { ...selection, before: now } }) };
    },
    ({ counted }) => countText(counted, action),
  );
  if (seen === undefined) return false;
  const { before, counted } = seen;
  if (counted.matched === 0) {
    say(`${site}: none of ${what} is there any more.`);
    return false;
  }
  const verb = action === 'replay' ? 'Replay' : 'Discard';
  const why = await confirmed({
    title: `${verb} ${what} at ${site}?`,
    will: [countText(counted, action), ...willOf(request, rate)],
    act: verb,
    isDangerous: action === 'discard',
    needsWhy: action === 'discard',
  });
  if (why === undefined) return false;
  const title = `${verb} at ${site}: ${what}`;
  await begin(
    settling,
    { title, total: counted.atLeast ? undefined : counted.matched },
    async (report, signal) => {
      await settleLetters(
        { action, selection: { ...selection, before }, rate, dryRun: false },
        {
          signal,
          settle: (act, body) =>
            ofSite<SettledView>(site, `replication/dead-letters/${act}`, { method: 'POST', body, why }),
          wait: (ms) => pause(ms, signal),
          progress: (settled, failed) =>
            report(
              settled,
              [...failed].map(([id, detail]) => ({ name: `${id} stays`, isDone: false, detail })),
            ),
        },
      );
    },
  );
  return true;
}

export function countText({ matched, atLeast }: SettledView, action: Settling): string {
  const done = action === 'replay' ? 'replayed' : 'discarded';
  return `${atLeast ? 'At least ' : ''}${count(matched, 'letter')} would be ${done}.`;
}

function willOf({ action, selection }: SettleRequest, rate: number): readonly string[] {
  if (action === 'discard')
    return ['They are removed for good. What they carry does not get here by them any more.'];
  return [
    'Each goes back to the queue that it came from, and is then removed here. One that fails again comes back as a new letter.',
    ...('event' in selection
      ? ['It goes back with the edited event in place of its body.']
      : [`At most ${count(rate, 'letter')} a second; it can be stopped.`]),
  ];
}
