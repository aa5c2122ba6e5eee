/** A failed seed for people. */
import { faultsText } from './faults.ts';
import type { ScheduleResult } from './schedule.ts';
import { RUN, type Workload } from './seeds.ts';

/** What is wrong, how to see it again, and what happened to the key. `chosen` is what was asked for. */
export function failureText(
  { seed, faults, findings, sites }: ScheduleResult,
  chosen: { readonly sites?: number | undefined; readonly workload?: Workload },
): string {
  const watchedKey = findings.find(({ key }) => key !== undefined)?.key;
  const { timeline } = RUN[chosen.workload ?? 'records']({ seed, sites: chosen.sites, watchedKey });
  const flags = [
    ...(chosen.sites === undefined ? [] : [` --sites ${chosen.sites}`]),
    ...(chosen.workload === 'shop' ? [' --workload shop'] : []),
  ].join('');
  return [
    '',
    `seed ${seed}: ${sites} sites, faults: ${faultsText(faults)}`,
    ...findings.map(({ invariant, key, detail }) => `  ${invariant}: ${key ?? ''} ${detail}`),
    `  again: node scripts/simulate.ts --schedules 1 --seed ${seed}${flags}`,
    ...(watchedKey === undefined ? [] : [`  ${watchedKey}:`, timeline]),
  ].join('\n');
}
