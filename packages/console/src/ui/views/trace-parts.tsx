/** What the list of traces and one trace have in common. */
import type { JSX } from 'preact';
import { refine, route } from '../route.ts';

export const REFRESH_MS = 2_000;

/** A choice that is in the address. */
export function Check({ name, label }: { name: string; label: string }): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        checked={route.value.query[name] === 'true'}
        onChange={({ currentTarget }) => refine({ [name]: currentTarget.checked ? 'true' : undefined })}
      />{' '}
      {label}
    </label>
  );
}

/** Whether what is shown is read again by itself; in the address only where it is not. */
export function Live(): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        name="live"
        checked={route.value.query['live'] !== 'false'}
        onChange={({ currentTarget }) => refine({ live: currentTarget.checked ? undefined : 'false' })}
      />{' '}
      Read again every {REFRESH_MS / 1_000} s
    </label>
  );
}
