/** Which writes lost against one that had not seen them. */
import type { JSX } from 'preact';
import { route } from '../../route.ts';
import { OneConflict } from './conflict.tsx';
import { ConflictList } from './list.tsx';

export function Conflicts(): JSX.Element {
  const [id] = route.value.args;
  return id === undefined || id === '' ? <ConflictList /> : <OneConflict key={id} id={id} />;
}
