/** What stands around every view: navigation, which sites are looked at, and whether what is shown is still true. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ask } from './api.ts';
import { answering, facts, isLive, listen, look, siteNames } from './live.ts';
import { useLoaded } from './loaded.ts';
import { Confirm } from './parts/confirm.tsx';
import { Badge } from './parts/parts.tsx';
import { doing, Said } from './parts/say.tsx';
import { followRoute, hrefOf, route } from './route.ts';
import { type View, VIEWS } from './views/views.ts';

export function App(): JSX.Element {
  useEffect(() => {
    const leave = start();
    return () => leave.abort();
  }, []);
  const { view } = route.value;
  const shown = VIEWS.find(({ name }) => name === view);
  const isLocal = facts.value?.mode === 'local';
  useEffect(() => {
    document.title = `${shown?.title ?? 'Nothing here'} · Tandem console`;
  }, [shown]);
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        To the content
      </a>
      <header>
        <a class="brand" href={hrefOf('')}>
          Tandem <small>console</small>
        </a>
        <Sites />
      </header>
      <nav aria-label="Views">
        {VIEWS.filter((each) => isLocal || each.isLocal !== true).map(({ name, title }) => (
          <a key={name} href={hrefOf(name)} aria-current={name === view ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <Said />
      <main id="content" tabIndex={-1}>
        {shown === undefined ? <p>There is no such view.</p> : <Loading key={view} view={shown} />}
      </main>
      <Confirm />
    </>
  );
}

/** A view whose script comes from this server: it is there at once, unless the console was started anew meanwhile. */
function Loading({ view }: { view: View }): JSX.Element {
  const loaded = useLoaded(view.name, async () => ({ Show: await view.load() }));
  return (
    <>
      {loaded.value !== undefined ? (
        <loaded.value.Show />
      ) : (
        <p class={loaded.problem === undefined ? 'muted' : 'problem'}>
          {loaded.problem === undefined ? 'Loading …' : 'The console was started anew: load the page again.'}
        </p>
      )}
    </>
  );
}

/** Opens a session with the code that the address may have, and listens. */
function start(): AbortController {
  const leave = new AbortController();
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(null, '', location.pathname);
  followRoute();
  const begin = (): void => {
    if (leave.signal.aborted) return;
    const close = listen();
    leave.signal.addEventListener('abort', close);
  };
  if (code === undefined) begin();
  else
    void doing(
      () => ask('/api/session', { method: 'POST', body: { code } }),
      () => 'The session is open.',
    ).then(begin);
  return leave;
}

function Sites(): JSX.Element {
  const known = look.value !== undefined;
  return (
    <p class="sites">
      {siteNames.value.map((name) => (
        <Badge
          key={name}
          kind={!known ? 'neutral' : answering.value.includes(name) ? 'good' : 'bad'}
          text={`${name} ${!known ? '' : answering.value.includes(name) ? 'answers' : 'does not answer'}`}
        />
      ))}
      {isLive.value ? <Badge kind="good" text="live" /> : <Badge kind="warn" text="not live" />}
    </p>
  );
}
