/** Messages that could not be handled: why, at each site, and what becomes of them. */
import type { JSX } from 'preact';
import { route } from '../../route.ts';
import { OneLetter } from './letter.tsx';
import { LetterList } from './list.tsx';

export function DeadLetters(): JSX.Element {
  const [site, id] = route.value.args;
  return site === undefined || id === undefined ? (
    <LetterList />
  ) : (
    <OneLetter key={`${site} ${id}`} site={site} id={id} />
  );
}
