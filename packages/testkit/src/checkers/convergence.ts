/** Invariant 1: after healing every site holds the same state of every key, and no marker remains. */
import type { RecordState } from '@tandem-clouds/replication/record';
import { canonical, type Finding, isOwnCount, isOwnReport, type Snapshot } from '../history/facts.ts';

const invariant = '1 convergence';

/** A report's own vector keeps a stamp of a clock that was ahead, at the sites that took it. */
function comparable(key: string, state: RecordState | undefined): RecordState | undefined {
  return state !== undefined && isOwnReport(key) ? { ...state, vector: {} } : state;
}

/**
 * `isDropped`: whether reports of a site may be missing, because its clock was ahead when it wrote them or a queue has lost
 * them. A comparison leaves them out; the next report stands for them.
 */
export function checkConvergence(snapshot: Snapshot, isDropped = false): Finding[] {
  const findings: Finding[] = [];
  const sites = [...snapshot.keys()];
  const keys = new Set([...snapshot.values()].flatMap((records) => [...records.keys()]));
  for (const key of keys) {
    if (isOwnCount(key) || (isDropped && isOwnReport(key))) continue;
    const states = new Set(
      sites.map((site) => canonical(comparable(key, snapshot.get(site)?.get(key)?.state))),
    );
    if (states.size > 1) findings.push({ invariant, key, detail: `the sites hold ${states.size} states` });
    for (const site of sites) {
      const record = snapshot.get(site)?.get(key);
      const peers = Object.keys(record?.pending ?? {});
      if (peers.length > 0)
        findings.push({ invariant, key, detail: `${site} still marks ${peers.join(', ')}` });
      if (peers.length === 0 && record?.pendingSince !== undefined)
        findings.push({ invariant, key, detail: `${site} is in the index of pending markers without one` });
    }
  }
  return findings;
}
