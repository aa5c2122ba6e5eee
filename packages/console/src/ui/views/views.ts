/** The views, in the order of the navigation. Each is loaded when somebody first opens it. */
import type { ComponentType } from 'preact';

export interface View {
  /** First part of the address. */
  readonly name: string;
  readonly title: string;
  readonly load: () => Promise<ComponentType>;
  /** Only at the stack of this machine. */
  readonly isLocal?: boolean;
}

export const VIEWS: readonly View[] = [
  { name: '', title: 'Overview', load: async () => (await import('./overview.tsx')).Overview },
  { name: 'kill', title: 'Kill it', load: async () => (await import('./kill.tsx')).Kill, isLocal: true },
  { name: 'traffic', title: 'Traffic', load: async () => (await import('./traffic.tsx')).Traffic },
  {
    name: 'replication',
    title: 'Replication',
    load: async () => (await import('./replication/replication.tsx')).Replication,
  },
  {
    name: 'conflicts',
    title: 'Conflicts',
    load: async () => (await import('./conflicts/conflicts.tsx')).Conflicts,
  },
  {
    name: 'dead-letters',
    title: 'Dead letters',
    load: async () => (await import('./dead-letters/dead-letters.tsx')).DeadLetters,
  },
  { name: 'records', title: 'Records', load: async () => (await import('./records.tsx')).Records },
  { name: 'shop', title: 'Shop', load: async () => (await import('./shop.tsx')).Shop },
  { name: 'traces', title: 'Traces', load: async () => (await import('./traces.tsx')).Traces, isLocal: true },
];
