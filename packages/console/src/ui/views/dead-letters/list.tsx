/** The dead letters of every site, by cause. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CausesView } from '@tandem-clouds/operator/operator-api';
import type { Cause } from '../../../../../../src/shared/operations/dead-letter-service.ts';
import { ofSite } from '../../api.ts';
import { count } from '../../format.ts';
import { siteNames } from '../../live.ts';
import { useLoaded } from '../../loaded.ts';
import { Choice, Filter, Moment, Shown, Title } from '../../parts/parts.tsx';
import { isUnderWay, RunShown } from '../../parts/run.tsx';
import { hrefOf, refine, route } from '../../route.ts';
import { causeText, isMeant, rateOf } from './groups.ts';
import { settle, settling } from './settle.ts';

const SOURCES = ['tandem-in', 'tandem-out', 'tandem-verify', 'tandem-react', 'tandem-objects'];

/** Not again and again: a queue on SQS hides from others what somebody looks at. */
const round = signal(0);

export function LetterList(): JSX.Element {
  const { site } = route.value.query;
  const sites = site === undefined || site === '' ? siteNames.value : [site];
  return (
    <>
      <Title
        text="Dead letters"
        note="Messages that a site could not handle: kept with the reason, so that nothing waits for them and nothing is lost. Mend the cause first, then replay."
      >
        <button type="button" onClick={() => (round.value += 1)}>
          Look again
        </button>
      </Title>
      <div class="filters">
        <Choice name="site" label="Site" values={siteNames.value} empty="all" />
        <Choice name="source" label="Queue" values={SOURCES} empty="all" />
        <Filter name="reason" label="Reason has in it" />
        <Filter name="text" label="Detail, id or key has in it" />
        <label class="filter">
          Letters a second, at most
          <input
            type="number"
            min={1}
            max={1_000}
            value={rateOf(route.value.query['rate'])}
            onChange={({ currentTarget }) => refine({ rate: currentTarget.value })}
          />
        </label>
      </div>
      <RunShown run={settling} />
      {sites.map((each) => (
        <OfSite key={each} site={each} />
      ))}
    </>
  );
}

function OfSite({ site }: { site: string }): JSX.Element {
  const loaded = useLoaded(`${site} ${round.value}`, (stop) =>
    ofSite<CausesView>(site, 'replication/dead-letters', { signal: stop }),
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { query } = route.value;
  const filter = { source: query['source'], reason: query['reason'], text: query['text'] };
  const act = async (action: 'replay' | 'discard', ids: readonly string[]): Promise<void> => {
    const request = { site, action, selection: { ids }, what: count(ids.length, 'letter') };
    if (!(await settle({ ...request, rate: rateOf(query['rate']) }))) return;
    setChosen(new Set());
    loaded.again();
  };
  return (
    <section aria-label={`Dead letters of ${site}`}>
      <h2>{site}</h2>
      <Shown loaded={loaded}>
        {({ causes, scanned, atLeast }) => {
          const shown = causes.filter((cause) => isMeant(cause, filter));
          const ids = shown.flatMap((cause) => cause.ids.filter((id) => chosen.has(id)));
          return (
            <>
              <p role="status" class="muted">
                {scanned === 0
                  ? 'No dead letters.'
                  : `${count(scanned, 'letter')}${atLeast ? ', and there may be more' : ''}; ${shown.length.toLocaleString()} of ${count(causes.length, 'cause')} shown.`}
              </p>
              {ids.length > 0 && (
                <div class="buttons">
                  <button
                    type="button"
                    disabled={isUnderWay(settling)}
                    onClick={() => void act('replay', ids)}
                  >
                    Replay {ids.length} chosen …
                  </button>
                  <button
                    type="button"
                    class="danger"
                    disabled={isUnderWay(settling)}
                    onClick={() => void act('discard', ids)}
                  >
                    Discard {ids.length} chosen …
                  </button>
                </div>
              )}
              <div class="cards">
                {shown.map((cause) => (
                  <CauseCard
                    key={`${cause.source} ${cause.reason}`}
                    site={site}
                    cause={cause}
                    chosen={chosen}
                    choose={setChosen}
                    done={loaded.again}
                  />
                ))}
              </div>
            </>
          );
        }}
      </Shown>
    </section>
  );
}

interface CauseProps {
  readonly site: string;
  readonly cause: Cause;
  readonly chosen: ReadonlySet<string>;
  readonly choose: (ids: ReadonlySet<string>) => void;
  readonly done: () => void;
}

function CauseCard({ site, cause, chosen, choose, done }: CauseProps): JSX.Element {
  const { messages, source, reason, detail, oldest, newest, ids, keys = [] } = cause;
  const what = causeText(cause);
  const act = async (action: 'replay' | 'discard'): Promise<void> => {
    const selection = { source, reason };
    if (await settle({ site, action, selection, what, rate: rateOf(route.value.query['rate']) })) done();
  };
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    choose(next);
  };
  return (
    <article class="card" aria-label={what}>
      <h3>{what}</h3>
      <p>{detail}</p>
      <p class="muted">
        The newest <Moment at={newest} />, the oldest <Moment at={oldest} />.
      </p>
      <fieldset>
        <legend>
          {messages > ids.length
            ? `${ids.length} of its ${messages.toLocaleString()} letters`
            : 'Its letters'}
        </legend>
        <ul class="ticks">
          {ids.map((id) => (
            <li key={id}>
              <input
                type="checkbox"
                aria-label={`Choose ${id}`}
                checked={chosen.has(id)}
                onChange={() => toggle(id)}
              />{' '}
              <a href={hrefOf('dead-letters', [site, id])}>{id}</a>
            </li>
          ))}
        </ul>
      </fieldset>
      {keys.length > 0 && (
        <>
          <p class="muted">About these records, among others:</p>
          <ul>
            {keys.map(({ key, detail: why }) => (
              <li key={key}>
                <code>{key}</code> {why !== detail && why}
              </li>
            ))}
          </ul>
        </>
      )}
      <div class="buttons">
        <button type="button" disabled={isUnderWay(settling)} onClick={() => void act('replay')}>
          Replay all <span class="unseen">{`of ${source}, ${reason}, at ${site}`}</span> …
        </button>
        <button
          type="button"
          class="danger"
          disabled={isUnderWay(settling)}
          onClick={() => void act('discard')}
        >
          Discard all <span class="unseen">{`of ${source}, ${reason}, at ${site}`}</span> …
        </button>
      </div>
    </article>
  );
}
