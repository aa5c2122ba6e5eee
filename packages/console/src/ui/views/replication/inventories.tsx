/** Inventories of the storages: whether what the records say is there, is there. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { findingsText } from '@tandem-clouds/operator/inventory-text';
import type { ContentInventoryView } from '@tandem-clouds/operator/operator-api';
import { ApiError, ofSite } from '../../api.ts';
import { bytes, count } from '../../format.ts';
import { useLoaded } from '../../loaded.ts';
import { confirmed } from '../../parts/confirm.tsx';
import { Badge, Moment, Shown } from '../../parts/parts.tsx';
import { doing } from '../../parts/say.tsx';

const EVERY_MS = 2_000;

export function Inventories({ sites }: { sites: readonly string[] }): JSX.Element {
  return (
    <section aria-labelledby="inventories">
      <h2 id="inventories">Inventories of contents</h2>
      <p class="muted">
        A site goes through its storage and its records, and finds what is missing, corrupt or used by nobody.
        Each does so every day by itself.
      </p>
      <div class="beside">
        {sites.map((site) => (
          <OfSite key={site} site={site} />
        ))}
      </div>
    </section>
  );
}

/** The latest of a site; undefined: there was none; null: no entity has content there. */
async function latest(site: string, signal: AbortSignal): Promise<{ view?: ContentInventoryView } | null> {
  try {
    const { inventories } = await ofSite<{ inventories: readonly ContentInventoryView[] }>(
      site,
      'replication/inventories',
      { signal },
    );
    const view = inventories.find((each) => each.site === site);
    return view === undefined ? {} : { view };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function OfSite({ site }: { site: string }): JSX.Element {
  const [read, setRead] = useState(false);
  const loaded = useLoaded(site, (signal) => latest(site, signal), EVERY_MS);
  const begin = async (): Promise<void> => {
    const why = await confirmed({
      title: `Begin an inventory of ${site}?`,
      will: [
        `${site} compares every object of its storage with the records that name it.`,
        ...(read ? ['It reads all bytes, which takes time and, on a deployed site, money.'] : []),
        'What is missing or corrupt is fetched from another site; what no record has used for long is removed.',
        'It goes on at the site when this page is left.',
      ],
      act: 'Begin',
    });
    if (why === undefined) return;
    await doing(
      () =>
        ofSite<ContentInventoryView>(site, 'replication/inventories', {
          method: 'POST',
          body: { read },
          why,
        }),
      () => `The inventory of ${site} has begun.`,
    );
    loaded.again();
  };
  return (
    <article class="card" aria-label={`Inventory of ${site}`}>
      <h3>{site}</h3>
      <Shown loaded={loaded}>
        {(found) =>
          found === null ? (
            <p class="muted">No entity has content here.</p>
          ) : (
            <>
              {found.view === undefined ? (
                <p class="muted">There was none yet.</p>
              ) : (
                <Found view={found.view} />
              )}
              <label class="tick">
                <input
                  type="checkbox"
                  checked={read}
                  onChange={({ currentTarget }) => setRead(currentTarget.checked)}
                />
                Read all bytes too
              </label>
              <div class="buttons">
                <button type="button" onClick={() => void begin()}>
                  Begin an inventory <span class="unseen">of {site}</span> …
                </button>
              </div>
            </>
          )
        }
      </Shown>
    </article>
  );
}

function Found({ view }: { view: ContentInventoryView }): JSX.Element {
  const { begunAt, endedAt, checked, bytes: size, missing, corrupt, strange, examples } = view;
  if (endedAt === undefined)
    return (
      <>
        <Badge kind="neutral" text="goes on" />
        <p role="status">
          Since <Moment at={begunAt} />: {count(checked, 'object')} ({bytes(size)}) checked.
        </p>
        <progress aria-label={`Inventory of ${view.site}`} />
      </>
    );
  const isWell = missing + corrupt + strange === 0;
  return (
    <>
      <Badge kind={isWell ? 'good' : 'bad'} text={isWell ? 'all there' : 'not all as it should be'} />
      <p>
        Ended <Moment at={endedAt} />. {findingsText(view)}.
      </p>
      {examples.length > 0 && (
        <ul aria-label="Some of what was found">
          {examples.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
    </>
  );
}
