/** One dead letter with its body; it can go back as it is, or with another event. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DeadLetterView } from '@tandem-clouds/operator/operator-api';
import { ofSite } from '../../api.ts';
import { useLoaded } from '../../loaded.ts';
import { Bounded } from '../../parts/bounded.tsx';
import { Copy, Moment, Shown, Title } from '../../parts/parts.tsx';
import { isUnderWay, RunShown } from '../../parts/run.tsx';
import { hrefOf } from '../../route.ts';
import { prettyBody } from './groups.ts';
import { countText, dryRun, settle, type SettleRequest, settling } from './settle.ts';

export function OneLetter({ site, id }: { site: string; id: string }): JSX.Element {
  const loaded = useLoaded(`${site} ${id}`, (signal) =>
    ofSite<DeadLetterView>(site, `replication/dead-letters/${encodeURIComponent(id)}`, { signal }),
  );
  // What was settled is gone: that it cannot be found then is no problem.
  const [isSettled, setSettled] = useState(false);
  useEffect(() => document.getElementById('content')?.focus(), []);
  return (
    <>
      <p>
        <a href={hrefOf('dead-letters')}>All dead letters</a>
      </p>
      <RunShown run={settling} />
      {isSettled ? (
        <>
          <Title text={id} note={`At ${site}`} />
          <p>It is not among the dead letters of {site} any more, unless it failed again.</p>
        </>
      ) : (
        <Shown loaded={loaded}>
          {(letter) => <Letter site={site} letter={letter} settled={() => setSettled(true)} />}
        </Shown>
      )}
    </>
  );
}

interface LetterProps {
  readonly site: string;
  readonly letter: DeadLetterView;
  readonly settled: () => void;
}

function Letter({ site, letter, settled }: LetterProps): JSX.Element {
  const { id, source, reason, detail, body, at } = letter;
  const request = { site, selection: { ids: [id] }, what: `letter ${id}`, rate: 1 };
  const act = async (action: 'replay' | 'discard'): Promise<void> => {
    if ((await settle({ ...request, action })) && settling.value?.done === 1) settled();
  };
  return (
    <>
      <Title text={id} note={`At ${site}`}>
        <button type="button" disabled={isUnderWay(settling)} onClick={() => void act('replay')}>
          Replay as it is …
        </button>
        <button
          type="button"
          class="danger"
          disabled={isUnderWay(settling)}
          onClick={() => void act('discard')}
        >
          Discard …
        </button>
      </Title>
      <dl>
        <dt>Queue</dt>
        <dd>{source === '' ? 'unknown' : source}</dd>
        <dt>Reason</dt>
        <dd>{reason}</dd>
        <dt>Detail</dt>
        <dd>{detail}</dd>
        <dt>Since</dt>
        <dd>
          <Moment at={at} />
        </dd>
      </dl>
      <h2>Body</h2>
      <Copy text={body} label="Copy the body" />
      <Bounded text={prettyBody(body)} label="Body of the letter" />
      <Edit request={request} body={body} settled={settled} />
    </>
  );
}

interface EditProps {
  readonly request: Omit<SettleRequest, 'action'>;
  readonly body: string;
  readonly settled: () => void;
}

/** The event is checked by the site before it is sent anywhere: a dry run says what is wrong with it. */
function Edit({ request, body, settled }: EditProps): JSX.Element {
  const [text, setText] = useState(() => prettyBody(body));
  const [problem, setProblem] = useState('');
  const [tried, setTried] = useState('');
  const edited = (): SettleRequest => ({
    ...request,
    action: 'replay',
    selection: { ...request.selection, event: JSON.parse(text) as unknown },
  });
  const attempt = async (act: () => Promise<void>): Promise<void> => {
    setProblem('');
    setTried('');
    try {
      await act();
    } catch (error) {
      const isSyntax = error instanceof SyntaxError;
      const words = error instanceof Error ? error.message : String(error);
      setProblem(isSyntax ? `It is not JSON: ${words}` : words);
    }
  };
  const tryIt = (): Promise<void> =>
    attempt(async () => setTried(`It is an event. ${countText(await dryRun(edited()), 'replay')}`));
  const replay = (): Promise<void> =>
    attempt(async () => {
      const wanted = edited();
      await dryRun(wanted);
      if ((await settle(wanted)) && settling.value?.done === 1) settled();
    });
  return (
    <section aria-labelledby="edit">
      <h2 id="edit">Edit and replay</h2>
      <label class="filter">
        Event that goes back in its place, as JSON
        <textarea
          value={text}
          spellcheck={false}
          {...(problem !== '' && { 'aria-invalid': true, 'aria-describedby': 'edit-problem' })}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      {problem !== '' && (
        <p class="problem" role="alert" id="edit-problem">
          {problem}
        </p>
      )}
      <p role="status" class="good">
        {tried}
      </p>
      <div class="buttons">
        <button type="button" onClick={() => void tryIt()}>
          Try it, and change nothing
        </button>
        <button type="button" class="primary" disabled={isUnderWay(settling)} onClick={() => void replay()}>
          Replay the edited event …
        </button>
      </div>
    </section>
  );
}
