/** What crosses between the sites: each direction, the keys at risk, comparisons and inventories. */
import type { JSX } from 'preact';
import { siteNames } from '../../live.ts';
import { Title } from '../../parts/parts.tsx';
import { Comparisons } from './comparisons.tsx';
import { Directions } from './directions.tsx';
import { Inventories } from './inventories.tsx';
import { KeysAtRisk } from './pending.tsx';

export function Replication(): JSX.Element {
  const sites = siteNames.value;
  return (
    <>
      <Title
        text="Replication"
        note="Every direction from one site to another, what is at risk on it, and whether both sides hold the same."
      />
      <Directions />
      <KeysAtRisk sites={sites} />
      <Comparisons sites={sites} />
      <Inventories sites={sites} />
    </>
  );
}
