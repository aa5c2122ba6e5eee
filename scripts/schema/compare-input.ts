/** What callers send to an action or a custom route, and what it refuses by. */
import { additive, breaking, type Changes, paired } from './change.ts';
import { compareValues } from './compare-values.ts';
import type { InputDescription } from './describe.ts';

/** @param mend How to take away what callers use. */
export function* compareInput(
  place: string,
  before: InputDescription,
  after: InputDescription,
  mend: string,
): Changes {
  for (const [input, was, is] of paired(before.input, after.input)) {
    const at = `${place}.input.${input}`;
    if (was === undefined)
      yield additive(at, 'is new', 'the older release refuses it: send it when every site has this one');
    else if (is === undefined) yield breaking(at, 'is gone: calls with it are refused', mend);
    else yield* compareValues(at, was, is, { mend });
  }
  for (const input of after.required)
    if (!before.required.includes(input))
      yield breaking(`${place}.required`, `${input} is needed now: calls without it are refused`, mend);
  for (const input of before.required)
    if (!after.required.includes(input)) yield additive(`${place}.required`, `${input} may be missing now`);
  for (const [code, was, is] of paired(before.errors, after.errors)) {
    const at = `${place}.errors.${code}`;
    if (was === undefined) yield additive(at, 'is new');
    else if (is === undefined) yield additive(at, 'is gone');
    else if (was !== is) yield breaking(at, `its status was ${was} and is ${is}`, 'refuse by a new code');
  }
}
