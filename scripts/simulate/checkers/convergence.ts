/** Invariant 1: after healing every site holds the same state of every key, and no marker remains. */
import { canonical, type Finding, type Snapshot } from '../facts.ts';

const invariant = '1 convergence';

export function checkConvergence(snapshot: Snapshot): Finding[] {
  const findings: Finding[] = [];
  const sites = [...snapshot.keys()];
  const keys = new Set([...snapshot.values()].flatMap((records) => [...records.keys()]));
  for (const key of keys) {
    const states = new Set(sites.map((site) => canonical(snapshot.get(site)?.get(key)?.state)));
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
