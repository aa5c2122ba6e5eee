/** Random histories of one key, as fast-check arbitraries: states that sites really can reach. */
import fc from 'fast-check';
import { mergeStates } from '../../src/shared/replication/merge.ts';
import { newestStamp, type RecordState, type Register } from '../../src/shared/replication/record.ts';
import { nextStamp } from '../../src/shared/replication/stamp.ts';

export const SITES = ['aws-us-east-1', 'azure-eastus', 'aws-eu-west-1'] as const;
const FIELDS = ['name', 'email', '$deleted'] as const;

type Step =
  | {
      readonly kind: 'write';
      readonly at: number;
      readonly field: (typeof FIELDS)[number];
      readonly clock: number;
    }
  | { readonly kind: 'deliver'; readonly from: number; readonly to: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: fc.nat(SITES.length - 1),
    field: fc.constantFrom(...FIELDS),
    clock: fc.integer({ min: 1_000, max: 1_020 }),
  }),
  fc.record({
    kind: fc.constant('deliver' as const),
    from: fc.nat(SITES.length - 1),
    to: fc.nat(SITES.length - 1),
  }),
);

/** Every state that any site was in during a random run of writes and deliveries. */
export const reachableStates: fc.Arbitrary<RecordState[]> = fc
  .array(step, { minLength: 3, maxLength: 24 })
  .map((steps) => {
    const sites: (RecordState | undefined)[] = SITES.map(() => undefined);
    const seen: RecordState[] = [];
    steps.forEach((action, index) => {
      const state =
        action.kind === 'write' ? written(sites[action.at], action, index) : merged(sites, action);
      if (state === undefined) return;
      sites[action.kind === 'write' ? action.at : action.to] = state;
      seen.push(state);
    });
    return seen;
  })
  .filter((states) => states.length > 0);

function written(
  held: RecordState | undefined,
  { at, field, clock }: Step & { kind: 'write' },
  value: number,
): RecordState {
  const site = SITES[at] ?? SITES[0];
  const stamp = nextStamp({ wallMs: clock, site, after: held && newestStamp(held) });
  const register: Register = [stamp, field === '$deleted' ? value % 2 === 0 : `v${value}`];
  return {
    fields: { ...held?.fields, [field]: register },
    vector: { ...held?.vector, [site]: stamp },
  };
}

function merged(
  sites: readonly (RecordState | undefined)[],
  { from, to }: Step & { kind: 'deliver' },
): RecordState | undefined {
  const remote = sites[from];
  return remote && mergeStates(sites[to], remote).state;
}
