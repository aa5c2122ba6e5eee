/** Small things that every view is made of. */
import type { ComponentChildren, JSX } from 'preact';
import { localTime, utcTime } from '../format.ts';
import { answering, siteNames } from '../live.ts';
import type { Loaded } from '../loaded.ts';
import { refine, route } from '../route.ts';

/** In the person's zone, with UTC beside. @param at RFC 3339, or epoch milliseconds. */
export function Moment({ at }: { at: string | number | undefined }): JSX.Element {
  const date = new Date(at ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return <span>—</span>;
  return (
    <time dateTime={date.toISOString()} title={date.toISOString()}>
      {localTime(date)} <small>{utcTime(date)}</small>
    </time>
  );
}

/** The heading of a view, what it is for, and what can be done. */
export function Title({
  text,
  note,
  children,
}: {
  text: string;
  note?: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="title">
      <div>
        <h1>{text}</h1>
        {note !== undefined && <p class="muted">{note}</p>}
      </div>
      {children !== undefined && <div class="buttons">{children}</div>}
    </div>
  );
}

/** Why something is not there, and a button that asks again; nothing where it is there. */
export function Problem({
  text,
  again,
}: {
  text: string | undefined;
  again: () => void;
}): JSX.Element | null {
  if (text === undefined) return null;
  return (
    <p class="problem" role="alert">
      {text}{' '}
      <button type="button" onClick={again}>
        Try again
      </button>
    </p>
  );
}

/** What was loaded; before that, and beside what is old, why it is not there. */
export function Shown<T>({
  loaded,
  children,
}: {
  loaded: Loaded<T>;
  children: (value: T) => ComponentChildren;
}): JSX.Element {
  const { value, problem, again } = loaded;
  return (
    <>
      <Problem text={problem} again={again} />
      {value !== undefined ? children(value) : problem === undefined && <p class="muted">Loading …</p>}
    </>
  );
}

export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
}

/** @param none What is said where there are no rows. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  none,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  none: string;
}): JSX.Element {
  if (rows.length === 0) return <p class="muted">{none}</p>;
  return (
    // A wide table is moved with the keyboard too.
    <div class="wide" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ name, isNumber = false }) => (
              <th key={name} scope="col" class={isNumber ? 'number' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ name, cell, isNumber = false }) => (
                <td key={name} class={isNumber ? 'number' : ''}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A text that a list is filtered by: it is in the address. */
export function Filter({
  name,
  label,
  list,
}: {
  name: string;
  label: string;
  list?: readonly string[];
}): JSX.Element {
  return (
    <label class="filter">
      {label}
      <input
        type="search"
        name={name}
        value={route.value.query[name] ?? ''}
        {...(list !== undefined && { list: `list-${name}` })}
        autoComplete="off"
        onInput={({ currentTarget }) => refine({ [name]: currentTarget.value, after: undefined })}
      />
      {list !== undefined && (
        <datalist id={`list-${name}`}>
          {list.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </label>
  );
}

/** A choice that is in the address. @param empty What is said for no choice; absent: there must be one. */
export function Choice({
  name,
  label,
  values,
  empty,
}: {
  name: string;
  label: string;
  values: readonly string[];
  empty?: string;
}): JSX.Element {
  const chosen = route.value.query[name] ?? (empty === undefined ? values[0] : '') ?? '';
  return (
    <label class="filter">
      {label}
      <select
        name={name}
        value={chosen}
        onChange={({ currentTarget }) => refine({ [name]: currentTarget.value, after: undefined })}
      >
        {empty !== undefined && <option value="">{empty}</option>}
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The site that a view asks: as chosen, otherwise the first that answers. */
export function chosenSite(): string | undefined {
  const { site } = route.value.query;
  if (site !== undefined && site !== '') return site;
  return answering.value[0] ?? siteNames.value[0];
}

/** JSON as it is: nothing in it is markup. */
export function Json({ value }: { value: unknown }): JSX.Element {
  return (
    <pre class="json" tabIndex={0}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

/** A button that puts a text where it can be pasted from. */
export function Copy({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <button type="button" class="quiet" onClick={() => void navigator.clipboard.writeText(text)}>
      {label}
    </button>
  );
}

/** @param kind As colour; the text says the same. */
export function Badge({
  kind,
  text,
}: {
  kind: 'good' | 'warn' | 'bad' | 'neutral';
  text: string;
}): JSX.Element {
  return <span class={`badge ${kind}`}>{text}</span>;
}
