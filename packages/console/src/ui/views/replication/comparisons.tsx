/**
 * Comparisons of two sites: begin one, see how far it is, and what it found. They run at the sites: a page that is left, and
 * opened again elsewhere, finds them.
 */
import { signal } from '@preact/signals';
import type { JSX, TargetedEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { differingIn, progressOf, sideLines, verdictOf } from '@tandem-clouds/operator/comparison-text';
import type { VerificationView } from '@tandem-clouds/operator/operator-api';
import type { WriterView } from '../../../../../../src/shared/http/operations/writers.ts';
import { ofSite, query } from '../../api.ts';
import { useLoaded } from '../../loaded.ts';
import { confirmed } from '../../parts/confirm.tsx';
import { Badge, Moment } from '../../parts/parts.tsx';
import { doing } from '../../parts/say.tsx';
import { mergeComparisons } from './comparison-list.ts';

const EVERY_MS = 1_000;

/** Of all sites, with those that this page has seen before. */
const known = signal<readonly VerificationView[]>([]);

export function Comparisons({ sites }: { sites: readonly string[] }): JSX.Element {
  return (
    <section aria-labelledby="comparisons">
      <h2 id="comparisons">Comparisons</h2>
      <p class="muted">
        Two sites find out which records differ. A repair also sends what either lacks. A site keeps the
        latest of each direction; this page shows those it has seen beside them.
      </p>
      {sites.length > 1 && <Begin sites={sites} />}
      {sites.map((site) => (
        <Reader key={site} site={site} />
      ))}
      {known.value.length === 0 ? (
        <p class="muted">No comparison is known.</p>
      ) : (
        <ul class="cards" aria-label="Latest comparisons">
          {known.value.map((view) => (
            <li key={view.id}>
              <Comparison view={view} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Reads what one site knows, again and again. */
function Reader({ site }: { site: string }): JSX.Element | null {
  const { value: entities } = useLoaded(`writers ${site}`, (stop) =>
    ofSite<{ writers: readonly WriterView[] }>(site, 'replication/writers', { signal: stop }),
  );
  const names = entities?.writers.map(({ entity }) => entity) ?? [];
  const { value, problem } = useLoaded(
    `${site} ${names.join()}`,
    async (stop) => {
      const lists = await Promise.all(
        [undefined, ...names].map((entity) =>
          ofSite<{ verifications: readonly VerificationView[]; unreadable?: readonly string[] }>(
            site,
            `replication/verifications${query({ entity })}`,
            { signal: stop },
          ),
        ),
      );
      return {
        verifications: lists.flatMap(({ verifications }) => verifications),
        unreadable: lists.flatMap(({ unreadable = [] }) => unreadable),
      };
    },
    EVERY_MS,
  );
  useEffect(() => {
    if (value !== undefined) known.value = mergeComparisons(known.value, value.verifications);
  }, [value]);
  if (problem !== undefined)
    return (
      <p class="problem" role="alert">
        {site}: {problem}
      </p>
    );
  return value === undefined || value.unreadable.length === 0 ? null : (
    <p class="problem">
      {site} cannot read {value.unreadable.join(', ')}; among the keys that it cannot use it says why.
    </p>
  );
}

async function compare(from: string, peer: string, repair: boolean, entity?: string): Promise<void> {
  const of = entity === undefined ? '' : ` of ${entity}`;
  const why = await confirmed({
    title: `${repair ? 'Repair' : 'Compare'} ${from} and ${peer}?`,
    will: [
      `Both sites read their records${of}; requests go on meanwhile.`,
      repair
        ? 'What either lacks, or holds in an earlier state, the other one sends to it. No newer write is replaced.'
        : 'Nothing is changed.',
      'It goes on at the sites when this page is left. One that goes on in this direction is replaced.',
    ],
    act: repair ? 'Repair' : 'Compare',
  });
  if (why === undefined) return;
  const body = { peer, repair, ...(entity !== undefined && { entity }) };
  await doing(
    async () => {
      const view = await ofSite<VerificationView>(from, 'replication/verifications', {
        method: 'POST',
        body,
        why,
      });
      known.value = mergeComparisons(known.value, [view]);
    },
    () => `The comparison of ${from} and ${peer} has begun.`,
  );
}

function Begin({ sites }: { sites: readonly string[] }): JSX.Element {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [repair, setRepair] = useState(false);
  const [entity, setEntity] = useState('');
  const begins = from === '' ? (sites[0] ?? '') : from;
  const others = sites.filter((site) => site !== begins);
  const peer = others.includes(to) ? to : (others[0] ?? '');
  const { value } = useLoaded(`writers of ${begins}`, (stop) =>
    ofSite<{ writers: readonly WriterView[] }>(begins, 'replication/writers', { signal: stop }),
  );
  const entities = value?.writers.map((writer) => writer.entity) ?? [];
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void compare(begins, peer, repair, entity === '' ? undefined : entity);
  };
  return (
    <form class="filters" onSubmit={submit} aria-label="Begin a comparison">
      <Pick label="Site that begins" values={sites} value={begins} onPick={setFrom} />
      <Pick label="Compared with" values={others} value={peer} onPick={setTo} />
      {entities.length > 0 && (
        <Pick label="Records" values={['', ...entities]} value={entity} empty="all" onPick={setEntity} />
      )}
      <label class="tick">
        <input
          type="checkbox"
          checked={repair}
          onChange={({ currentTarget }) => setRepair(currentTarget.checked)}
        />
        Repair: send what either lacks
      </label>
      <button type="submit" class="primary">
        {repair ? 'Repair …' : 'Compare …'}
      </button>
    </form>
  );
}

interface PickProps {
  readonly label: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly empty?: string;
  readonly onPick: (value: string) => void;
}

/** Of a form: unlike a filter it is not in the address. */
function Pick({ label, values, value, empty = '', onPick }: PickProps): JSX.Element {
  return (
    <label class="filter">
      {label}
      <select value={value} onChange={({ currentTarget }) => onPick(currentTarget.value)}>
        {values.map((each) => (
          <option key={each} value={each}>
            {each === '' ? empty : each}
          </option>
        ))}
      </select>
    </label>
  );
}

function Comparison({ view }: { view: VerificationView }): JSX.Element {
  const { from, to, repair, entity, begunAt, ended, endedAt, lastCleanAt } = view;
  const differs = differingIn(view) > 0;
  const title = `${from} and ${to}${entity === undefined ? '' : `, ${entity}`}`;
  return (
    <article class="card" aria-label={`${repair ? 'Repair' : 'Comparison'} of ${title}`}>
      <h3>
        {repair ? 'Repair' : 'Comparison'} of {title}{' '}
        {!ended ? (
          <Badge kind="neutral" text="goes on" />
        ) : differs ? (
          <Badge kind="bad" text="they differ" />
        ) : (
          <Badge kind="good" text="the same" />
        )}
      </h3>
      <p class="muted">
        Begun <Moment at={begunAt} />
        {endedAt !== undefined && (
          <>
            , ended <Moment at={endedAt} />
          </>
        )}
      </p>
      {!ended ? (
        <>
          <p role="status">{progressOf(view)}</p>
          <progress aria-label={`Comparison of ${title}`} />
        </>
      ) : (
        <>
          <p>
            {verdictOf(view)}
            {differs ? '. Last the same: ' : ', as of '}
            {lastCleanAt === undefined ? 'never' : <Moment at={lastCleanAt} />}.
          </p>
          <ul>
            {sideLines(view).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
          {differs && (
            <div class="buttons">
              <button type="button" onClick={() => void compare(from, to, !repair, entity)}>
                {repair ? 'Compare again, to see that it is well …' : 'Repair …'}
              </button>
            </div>
          )}
        </>
      )}
    </article>
  );
}
