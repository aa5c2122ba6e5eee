/** The views, in the order of the navigation. */
import type { ComponentType } from 'preact';
import { Conflicts } from './conflicts/conflicts.tsx';
import { DeadLetters } from './dead-letters/dead-letters.tsx';
import { Kill } from './kill.tsx';
import { Overview } from './overview.tsx';
import { Records } from './records.tsx';
import { Replication } from './replication/replication.tsx';
import { Shop } from './shop.tsx';
import { Traces } from './traces.tsx';
import { Traffic } from './traffic.tsx';

export interface View {
  /** First part of the address. */
  readonly name: string;
  readonly title: string;
  readonly show: ComponentType;
  /** Only at the stack of this machine. */
  readonly isLocal?: boolean;
}

export const VIEWS: readonly View[] = [
  { name: '', title: 'Overview', show: Overview },
  { name: 'kill', title: 'Kill it', show: Kill, isLocal: true },
  { name: 'traffic', title: 'Traffic', show: Traffic },
  { name: 'replication', title: 'Replication', show: Replication },
  { name: 'conflicts', title: 'Conflicts', show: Conflicts },
  { name: 'dead-letters', title: 'Dead letters', show: DeadLetters },
  { name: 'records', title: 'Records', show: Records },
  { name: 'shop', title: 'Shop', show: Shop },
  { name: 'traces', title: 'Traces', show: Traces, isLocal: true },
];
