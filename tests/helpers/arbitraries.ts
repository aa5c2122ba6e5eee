/** Random histories of one key, as fast-check arbitraries: states that sites really can reach. */
import fc from 'fast-check';
import { mergeStates } from '@tandem-clouds/replication/merge';
import { increment } from '@tandem-clouds/replication/policies/counter';
import type { FieldOperation } from '@tandem-clouds/replication/policies/field';
import { owned } from '@tandem-clouds/replication/policies/owned';
import { write } from '@tandem-clouds/replication/policies/register';
import { change, replace, start } from '@tandem-clouds/replication/policies/set';
import { newestStamp, partsOf, type RecordState, withParts } from '@tandem-clouds/replication/record';
import { nextStamp, type Stamp } from '@tandem-clouds/replication/stamp';

export const SITES = ['aws-us-east-1', 'azure-eastus', 'aws-eu-west-1'] as const;

/** A write of one field at one site, or the delivery of one site's state to another. */
export type Step =
  | {
      readonly kind: 'write';
      readonly at: number;
      readonly field: string;
      readonly clock: number;
      readonly text: string;
      readonly operation: FieldOperation;
    }
  | { readonly kind: 'deliver'; readonly from: number; readonly to: number };

/** What a site did, and what it held before and after. */
export interface Happened {
  readonly step: Step;
  readonly stamp?: Stamp;
  readonly before: RecordState | undefined;
  readonly after: RecordState;
}

type Writes = readonly (readonly [field: string, text: string, operation: FieldOperation])[];

const elements = fc.subarray(['red', 'green', 'blue']);
const value = fc.integer({ min: 0, max: 9 });

/** Policy → writes of a field `f` under it. */
export const policyWrites: Readonly<Record<string, fc.Arbitrary<Writes[number]>>> = {
  register: value.map((n) => ['f', `write ${n}`, write(n)] as const),
  tombstone: fc.boolean().map((gone) => ['$deleted', `delete ${gone}`, write(gone)] as const),
  set: fc.oneof(
    fc
      .record({ add: elements, remove: elements })
      .map((options) => ['f', `change ${JSON.stringify(options)}`, change(options)] as const),
    elements.map((wanted) => ['f', `replace ${wanted.join()}`, replace(wanted)] as const),
    elements.map((wanted) => ['f', `start ${wanted.join()}`, start(wanted)] as const),
  ),
  counter: fc.integer({ min: -5, max: 9 }).map((by) => ['f', `increment ${by}`, increment(by)] as const),
  owned: fc.tuple(value, value).map(([rank, n]) => ['f', `own ${rank}`, ranked(String(rank), n)] as const),
};

/** Every policy on the one field, as when it changes from release to release, and another field beside it. */
const mixed: fc.Arbitrary<Writes[number]> = fc.oneof(
  ...Object.values(policyWrites),
  value.map((n) => ['other', `write ${n}`, write(n)] as const),
  fc.constant(['f', 'write list', write(['red', 'blue'])] as const),
);

/** A writer that looks who owns the state, as it must. */
function ranked(rank: string, n: number): FieldOperation {
  return (parts, at) =>
    owned(rank < (parts.register?.[2] ?? '') ? (parts.register?.[2] ?? '') : rank, n)(parts, at);
}

/** Runs of writes and deliveries between three sites whose clocks disagree. */
export function histories(writes: fc.Arbitrary<Writes[number]> = mixed): fc.Arbitrary<Happened[]> {
  const site = fc.nat(SITES.length - 1);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc
      .record({ at: site, clock: fc.integer({ min: 1_000, max: 1_020 }), write: writes })
      .map(({ at, clock, write: [field, text, operation] }) => ({
        kind: 'write' as const,
        at,
        clock,
        field,
        text,
        operation,
      })),
    fc.record({ kind: fc.constant('deliver' as const), from: site, to: site }),
  );
  return fc
    .array(step, { minLength: 3, maxLength: 24 })
    .map(happenings)
    .filter((all) => all.length > 0);
}

/** Every state that any site was in during a random run. */
export function reachableStates(writes?: fc.Arbitrary<Writes[number]>): fc.Arbitrary<RecordState[]> {
  return histories(writes).map((all) => all.map(({ after }) => after));
}

function happenings(steps: readonly Step[]): Happened[] {
  const sites: (RecordState | undefined)[] = SITES.map(() => undefined);
  return steps.flatMap((step) => {
    const to = step.kind === 'write' ? step.at : step.to;
    const before = sites[to];
    const done = step.kind === 'write' ? written(before, step) : delivered(before, sites[step.from]);
    if (done === undefined) return [];
    sites[to] = done.after;
    return [{ step, before, ...done }];
  });
}

function written(
  held: RecordState | undefined,
  { at, field, clock, operation }: Step & { kind: 'write' },
): { after: RecordState; stamp: Stamp } {
  const site = SITES[at] ?? SITES[0];
  const stamp = nextStamp({ wallMs: clock, site, after: held && newestStamp(held) });
  const parts = operation(held === undefined ? {} : partsOf(held, field), { stamp, site });
  return { after: withParts(held, { [field]: parts }, { ...held?.vector, [site]: stamp }), stamp };
}

function delivered(
  held: RecordState | undefined,
  remote: RecordState | undefined,
): { after: RecordState } | undefined {
  return remote && { after: mergeStates(held, remote).state };
}
