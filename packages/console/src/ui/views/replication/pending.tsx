/** Which keys the peers do not hold yet, by name, and which no site function can use. */
import type { JSX } from 'preact';
import type {
  PendingKey,
  PendingView,
  UnusableView,
} from '../../../../../../src/shared/operations/pending-view.ts';
import { ofSite } from '../../api.ts';
import { count } from '../../format.ts';
import { useLoaded } from '../../loaded.ts';
import { Portion } from '../../parts/more.tsx';
import { type Column, Filter, Moment, Shown, Table } from '../../parts/parts.tsx';
import { route } from '../../route.ts';

const EVERY_MS = 5_000;

export function KeysAtRisk({ sites }: { sites: readonly string[] }): JSX.Element {
  return (
    <section aria-labelledby="keys-at-risk">
      <h2 id="keys-at-risk">Keys at risk</h2>
      <p class="muted">
        A moment is enough for most of them. The oldest come first; a site names 1,000 for each peer at most.
      </p>
      <div class="filters">
        <Filter name="key" label="Key has in it" />
      </div>
      {sites.map((site) => (
        <OfSite key={site} site={site} />
      ))}
    </section>
  );
}

function OfSite({ site }: { site: string }): JSX.Element {
  const loaded = useLoaded(
    site,
    (signal) => ofSite<PendingView>(site, 'replication/pending', { signal }),
    EVERY_MS,
  );
  const wanted = (route.value.query['key'] ?? '').toLowerCase();
  const isMeant = ({ key }: { readonly key: string }): boolean => key.toLowerCase().includes(wanted);
  return (
    <section aria-label={`Keys of ${site}`}>
      <Shown loaded={loaded}>
        {({ peers, unusable = [] }) => (
          <>
            {peers.map((peer) => (
              <Keys
                key={peer.site}
                caption={`${site} → ${peer.site}`}
                keys={peer.keys}
                shown={peer.keys.filter(isMeant)}
                atLeast={peer.atLeast}
              />
            ))}
            {unusable.length > 0 && <Unusable site={site} rows={unusable.filter(isMeant)} />}
          </>
        )}
      </Shown>
    </section>
  );
}

const KEY_COLUMNS: readonly Column<PendingKey>[] = [
  { name: 'Key', cell: ({ key }) => <code>{key}</code> },
  { name: 'Not there since', cell: ({ since }) => <Moment at={since} /> },
  {
    name: 'Refused',
    cell: ({ refused }) =>
      refused === undefined ? 'no, on its way' : <span class="problem">{refused}</span>,
  },
];

interface KeysProps {
  readonly caption: string;
  readonly keys: readonly PendingKey[];
  readonly shown: readonly PendingKey[];
  readonly atLeast: boolean;
}

function Keys({ caption, keys, shown, atLeast }: KeysProps): JSX.Element {
  const filtered = shown.length === keys.length ? '' : `, ${shown.length.toLocaleString()} shown`;
  return (
    <>
      <h3>
        {caption}: {count(keys.length, 'key')}
        {atLeast && ' or more'}
        {filtered}
      </h3>
      <Portion rows={shown}>
        {(rows) => (
          <Table
            caption={`Keys at risk, ${caption}`}
            columns={KEY_COLUMNS}
            rows={rows}
            keyOf={({ key }) => key}
            none={keys.length === 0 ? 'None: the other site holds everything.' : 'None has that in it.'}
          />
        )}
      </Portion>
    </>
  );
}

const UNUSABLE_COLUMNS: readonly Column<UnusableView>[] = [
  { name: 'Key', cell: ({ key }) => <code>{key}</code> },
  { name: 'Met by', cell: ({ during }) => during },
  { name: 'Why', cell: ({ reason }) => <span class="problem">{reason}</span> },
  { name: 'First', cell: ({ since }) => <Moment at={since} /> },
  { name: 'Last', cell: ({ last }) => <Moment at={last} /> },
];

function Unusable({ site, rows }: { site: string; rows: readonly UnusableView[] }): JSX.Element {
  return (
    <>
      <h3>{site} cannot use</h3>
      <p>
        These it can neither read nor write, for good: mend or remove the item in the store, or change the
        record at its site.
      </p>
      <Portion rows={rows}>
        {(shown) => (
          <Table
            caption={`Keys that ${site} cannot use`}
            columns={UNUSABLE_COLUMNS}
            rows={shown}
            keyOf={({ key, during }) => `${key} ${during}`}
            none="None has that in it."
          />
        )}
      </Portion>
    </>
  );
}
