/** Incidents: what the zone says of them, where every monitor reads it, and what was written down here. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { TrafficView } from '../../server/traffic-view.ts';
import { ask } from '../api.ts';
import { useLoaded } from '../loaded.ts';
import { Badge, Moment, Shown, Table } from '../parts/parts.tsx';

export function Incidents({ view }: { view: TrafficView }): JSX.Element {
  const [chosen, setChosen] = useState<string>();
  return (
    <section aria-label="Incidents">
      <h2>Incidents</h2>
      <Table
        caption="Incidents that the zone names"
        columns={[
          {
            name: 'Runbook',
            cell: ({ runbook, phase }) => (
              <>
                {runbook}{' '}
                <Badge kind={phase === 'open' ? 'bad' : phase === 'over' ? 'warn' : 'neutral'} text={phase} />
              </>
            ),
          },
          { name: 'Site', cell: ({ site }) => site },
          { name: 'Opened', cell: ({ openedAtMs }) => <Moment at={openedAtMs} /> },
          { name: 'Last change', cell: ({ changedAtMs }) => <Moment at={changedAtMs} /> },
          { name: 'Came back', isNumber: true, cell: ({ flaps }) => flaps },
        ]}
        rows={view.incidents}
        keyOf={({ runbook, site }) => `${runbook} ${site}`}
        none="None: no runbook has been carried out."
      />
      {view.incidentFiles.length > 0 && (
        <ul>
          {view.incidentFiles.map((file) => (
            <li key={file}>
              <button
                type="button"
                class="quiet pick"
                aria-expanded={chosen === file}
                onClick={() => setChosen(chosen === file ? undefined : file)}
              >
                {file}
              </button>
              {chosen === file && <Written file={file} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Written({ file }: { file: string }): JSX.Element {
  const loaded = useLoaded(file, (signal) =>
    ask<{ text: string }>(`/api/traffic/incidents/${encodeURIComponent(file)}`, { signal }),
  );
  return (
    <Shown loaded={loaded}>
      {({ text }) => (
        <pre class="json" tabIndex={0}>
          {text}
        </pre>
      )}
    </Shown>
  );
}
