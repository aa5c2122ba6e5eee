/** The views, in the order of the navigation. */
import type { ComponentType } from 'preact';
import { Overview } from './overview.tsx';
import { Records } from './records.tsx';
import { Shop } from './shop.tsx';

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
  { name: 'records', title: 'Records', show: Records },
  { name: 'shop', title: 'Shop', show: Shop },
];
