/** Which way traffic takes from where it stands to where it shall be. Pure. */
import type { RoutedRecord } from '@tandem-clouds/zone/model';
import { type Overrides, sharesOf } from '../overrides.ts';
import type { Policy } from '../policy/policy.ts';
import { recordsOf } from '../policy/records.ts';

/** Percent of a site in the first weighted name that it serves; undefined when it serves none. */
export function shareOf(policy: Policy, site: string, overrides: Overrides): number | undefined {
  const record = recordsOf(policy).find(
    (one): one is RoutedRecord =>
      one.kind === 'routed' &&
      one.strategy === 'weighted' &&
      one.targets.some((target) => target.site === site),
  );
  if (record === undefined) return undefined;
  const index = record.targets.findIndex((target) => target.site === site);
  return sharesOf(record.targets, overrides)[index];
}

/** One site to a percentage; other sites stay out if they were out, and share the rest otherwise. */
export function stepsTo(
  policy: Policy,
  now: Overrides,
  { site, percent }: { readonly site: string; readonly percent: number },
): readonly Overrides[] {
  const others = [...now].filter(([other, share]) => other !== site && share === 0);
  const from = shareOf(policy, site, now);
  const values = from === undefined ? [percent] : between(from, percent, policy.shift.stepPercent);
  return values.map((value) => new Map([...others, [site, value]]));
}

/** Back to what the policy says; the last step removes the overrides. */
export function stepsBack(policy: Policy, now: Overrides): readonly Overrides[] {
  const none: Overrides = new Map();
  const ways = [...now].flatMap(([site, from]) => {
    const to = shareOf(policy, site, none);
    return to === undefined ? [] : [{ site, values: between(from, to, policy.shift.stepPercent) }];
  });
  const longest = Math.max(0, ...ways.map(({ values }) => values.length));
  const between_ = Array.from({ length: Math.max(0, longest - 1) }, (_step, index): Overrides => {
    const pairs = ways.map(({ site, values }): [string, number] => [
      site,
      values[index] ?? values.at(-1) ?? 0,
    ]);
    return new Map(pairs);
  });
  return now.size === 0 ? [] : [...between_, none];
}

/** One site back to its share, and its override away; the others stay where they are. None when it has no override. */
export function stepsBackOf(policy: Policy, now: Overrides, site: string): readonly Overrides[] {
  const from = now.get(site);
  if (from === undefined) return [];
  const end: Overrides = new Map([...now].filter(([other]) => other !== site));
  const to = shareOf(policy, site, end);
  const values = to === undefined ? [] : between(from, to, policy.shift.stepPercent).slice(0, -1);
  return [...values.map((value) => new Map([...now, [site, value]])), end];
}

/** Without `from`, with `to`. */
function between(from: number, to: number, step: number): readonly number[] {
  const count = Math.max(1, Math.ceil(Math.abs(to - from) / step));
  const direction = Math.sign(to - from);
  return Array.from({ length: count }, (_value, index) =>
    index === count - 1 ? to : from + direction * step * (index + 1),
  );
}
