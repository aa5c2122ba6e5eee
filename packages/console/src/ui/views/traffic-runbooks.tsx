/** Runbooks: what one would do, and carrying it out on somebody's word. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RunbookView, TrafficJob } from '../../server/traffic-view.ts';
import { ask, query } from '../api.ts';
import { useLoaded } from '../loaded.ts';
import { confirmed } from '../parts/confirm.tsx';
import { Shown } from '../parts/parts.tsx';
import { doing } from '../parts/say.tsx';
import { orderPath } from '../shares.ts';
import { Diff } from './traffic-diff.tsx';
import type { ActingProps } from './traffic-move.tsx';

export function Runbooks(props: ActingProps): JSX.Element {
  const loaded = useLoaded('', (signal) => ask<readonly RunbookView[]>('/api/traffic/runbooks', { signal }));
  return (
    <section aria-label="Runbooks">
      <h2>Runbooks</h2>
      <Shown loaded={loaded}>
        {(runbooks) => (
          <div class="beside">
            {runbooks.map((runbook) => (
              <Runbook key={runbook.name} runbook={runbook} {...props} />
            ))}
          </div>
        )}
      </Shown>
    </section>
  );
}

function Runbook({ runbook, isBusy, onChange }: ActingProps & { runbook: RunbookView }): JSX.Element {
  const { name, description, prose, sites, actions, over } = runbook;
  const [site, setSite] = useState(sites[0] ?? '');
  const [isBack, setBack] = useState(false);
  const [shown, setShown] = useState<string>();
  const dryRun = async (): Promise<void> => {
    const found = await doing(
      () =>
        ask<{ text: string }>(
          `/api/traffic/runbooks/${encodeURIComponent(name)}${query({ site, over: isBack ? 'true' : undefined })}`,
        ),
      () => 'Nothing is changed by this.',
    );
    setShown(found?.text);
  };
  const carryOut = async (): Promise<void> => {
    const why = await confirmed({
      title: `Carry out ${name}${isBack ? ', the way back' : ''}`,
      will: [
        `For ${site}: ${(isBack ? over : actions).join(', ')}.`,
        'The guards are those of its trigger: the last healthy site is never taken out.',
      ],
      act: 'Carry it out',
      isDangerous: true,
    });
    if (why === undefined) return;
    await doing(
      () =>
        ask<TrafficJob>(orderPath({ kind: 'runbook', name, site, over: isBack }), {
          method: 'POST',
          body: { site, over: isBack },
          why,
        }),
      ({ what }) => `Begun: ${what}.`,
    );
    setShown(undefined);
    onChange();
  };
  return (
    <article class="card" aria-label={name}>
      <h3>{name}</h3>
      <p>{description}</p>
      <dl>
        <dt>Does</dt>
        <dd>{actions.join(', ')}</dd>
        <dt>When it is over</dt>
        <dd>{over.join(', ') || 'nothing'}</dd>
        {prose !== undefined && (
          <>
            <dt>For people</dt>
            <dd>
              <code>{prose}</code>
            </dd>
          </>
        )}
      </dl>
      <div class="filters">
        <label class="filter">
          Site
          <select
            value={site}
            onChange={({ currentTarget }) => {
              setSite(currentTarget.value);
              setShown(undefined);
            }}
          >
            {sites.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isBack}
            onChange={({ currentTarget }) => {
              setBack(currentTarget.checked);
              setShown(undefined);
            }}
          />{' '}
          The way back
        </label>
        <button type="button" onClick={() => void dryRun()}>
          Dry run
        </button>
      </div>
      {shown !== undefined && (
        <>
          <Diff text={shown} label={`What ${name} would do`} />
          <button type="button" class="danger" disabled={isBusy} onClick={() => void carryOut()}>
            Carry it out …
          </button>
        </>
      )}
    </article>
  );
}
