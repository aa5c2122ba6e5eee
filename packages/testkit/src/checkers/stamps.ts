/**
 * Invariant 4: a local stamp is later than everything that the record had seen, a write replaces exactly what it
 * decided on, and no stamp further ahead of the clock than the bound is accepted.
 */
import { clockAheadMaxMs } from '@tandem-clouds/replication/bounds';
import { type AppliedPut, canonical, type CommittedWrite, type Finding } from '../history/facts.ts';

const invariant = '4 stamps';
const TIME_DIGITS = 9;

export function checkLocalStamp({
  key,
  site,
  stamp,
  operationId,
  replaced,
  basis,
}: CommittedWrite): Finding[] {
  const findings: Finding[] = [];
  if (canonical(basis?.state) !== canonical(replaced?.state))
    findings.push({
      invariant,
      key,
      detail: `${operationId} replaced at ${site} what it had not decided on`,
    });
  if (replaced === undefined) return findings;
  const { fields, sets, counters, vector } = replaced.state;
  const slots = [sets, counters].flatMap((section) => Object.values(section ?? {}).flatMap(slotsIn));
  const parts = [...Object.values(fields), ...slots].map(([seen]) => seen);
  for (const seen of [...Object.values(vector), ...parts]) {
    if (stamp <= seen) {
      findings.push({
        invariant,
        key,
        detail: `${operationId} at ${site} is stamped ${stamp}, not after ${seen}`,
      });
      break;
    }
  }
  return findings;
}

function slotsIn(slots: object): (readonly [string, unknown])[] {
  return Object.values(slots as Record<string, readonly [string, unknown]>);
}

export function checkAcceptedStamps({ key, site, before, after, wallMs }: AppliedPut): Finding[] {
  return Object.entries(after.state.vector).flatMap(([origin, stamp]) => {
    if (before?.state.vector[origin] === stamp) return [];
    const aheadMs = Number.parseInt(stamp.slice(0, TIME_DIGITS), 36) - wallMs;
    if (aheadMs <= clockAheadMaxMs) return [];
    return [{ invariant, key, detail: `${site} accepted ${stamp}, ${aheadMs} ms ahead of its clock` }];
  });
}
