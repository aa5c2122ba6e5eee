/** A failed seed for people. */
import { faultsText } from './faults.ts';
import { runSchedule, type ScheduleResult } from './schedule.ts';

/** What is wrong, how to see it again, and what happened to the key. `chosen` is the number of sites asked for. */
export function failureText(
  { seed, faults, findings, sites }: ScheduleResult,
  chosen: number | undefined,
): string {
  const watchedKey = findings.find(({ key }) => key !== undefined)?.key;
  const { timeline } = runSchedule({ seed, sites: chosen, watchedKey });
  return [
    '',
    `seed ${seed}: ${sites} sites, faults: ${faultsText(faults)}`,
    ...findings.map(({ invariant, key, detail }) => `  ${invariant}: ${key ?? ''} ${detail}`),
    `  again: node scripts/simulate.ts --schedules 1 --seed ${seed}${chosen === undefined ? '' : ` --sites ${chosen}`}`,
    ...(watchedKey === undefined ? [] : [`  ${watchedKey}:`, timeline]),
  ].join('\n');
}
