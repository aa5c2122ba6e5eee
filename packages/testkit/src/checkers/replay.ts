/** Invariant 10: delivering again everything that was ever delivered or set aside changes nothing. */
import { type AppliedPut, type Finding, isOwnReport, type Snapshot } from '../history/facts.ts';

const invariant = '10 replay';

/** `sentSince` counts messages that protocols sent during the replay. */
export function checkReplay(before: Snapshot, after: Snapshot, sentSince: number): Finding[] {
  const findings: Finding[] = [];
  for (const [site, records] of after) {
    const earlier = before.get(site);
    for (const key of new Set([...records.keys(), ...(earlier?.keys() ?? [])])) {
      // What a site once said by a clock that was ahead is dropped while it is ahead, and not afterwards.
      if (isOwnReport(key)) continue;
      if (JSON.stringify(records.get(key)) !== JSON.stringify(earlier?.get(key)))
        findings.push({ invariant, key, detail: `the replay changed the record at ${site}` });
    }
  }
  if (sentSince > 0) findings.push({ invariant, detail: `the replay caused ${sentSince} messages` });
  return findings;
}

/** An event whose state is included already costs no write. */
export function checkNews({ site, key, before, after }: AppliedPut): Finding[] {
  // What a site says about itself may begin anew under stamps that are included already.
  if (before === undefined || isOwnReport(key)) return [];
  const held = before.state.vector;
  const learned = Object.entries(after.state.vector).some(([origin, stamp]) => held[origin] !== stamp);
  return learned ? [] : [{ invariant, key, detail: `${site} wrote a state that it held already` }];
}
