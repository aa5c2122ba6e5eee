/** What the payment provider has moved for an order, as it is in the books. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { BOOK, type Movement } from '../../../../../src/shared/domain/ledger/movement.ts';
import { ofSite, query } from '../api.ts';
import { recordCurl } from '../entities.ts';
import { count } from '../format.ts';
import { useLoaded } from '../loaded.ts';
import { money } from '../money.ts';
import type { Page } from '../pages.ts';
import { AsCurl } from '../parts/as-curl.tsx';
import { confirmed } from '../parts/confirm.tsx';
import { chosenSite, Moment, Shown, Table } from '../parts/parts.tsx';
import { doing } from '../parts/say.tsx';

const AGAIN_MS = 5_000;
const HEADERS = { 'x-tandem-tenant': BOOK };
/** What the provider calls the order's payment. */
const keyOf = (orderId: string): string => `order-${orderId}`;

export function Ledger({ orderId, since }: { orderId: string; since: string }): JSX.Element {
  const site = chosenSite();
  const path = `movements${query({ key: keyOf(orderId), limit: 100 })}`;
  const loaded = useLoaded(
    `${site ?? ''} ${path}`,
    async (signal): Promise<readonly Movement[]> =>
      site === undefined
        ? []
        : (await ofSite<Page<Movement>>(site, path, { headers: HEADERS, signal })).items,
    AGAIN_MS,
  );
  return (
    <section>
      <h2>In the books</h2>
      <Shown loaded={loaded}>
        {(movements) => (
          <Table
            caption="Entries of the ledger"
            rows={movements.flatMap((movement) => movement.lines.map((line) => ({ ...line, movement })))}
            keyOf={({ account, movement }) => `${movement.entryId} ${account}`}
            none="Nothing yet: what the provider has moved is written down when the books are reconciled."
            columns={[
              { name: 'Moved', cell: ({ movement }) => <Moment at={movement.atMs} /> },
              { name: 'What', cell: ({ movement }) => movement.kind },
              { name: 'Entry', cell: ({ movement }) => `${movement.provider} ${movement.entryId}` },
              { name: 'Account', cell: ({ account }) => account },
              {
                name: 'Amount',
                isNumber: true,
                cell: ({ amountMinor, movement }) => money(amountMinor, movement.currency),
              },
            ]}
          />
        )}
      </Shown>
      {site !== undefined && <Reconcile site={site} since={since} done={loaded.again} />}
      {site !== undefined && (
        <AsCurl of="entries" text={() => recordCurl(site, { path, headers: HEADERS })} />
      )}
    </section>
  );
}

interface Reconciled {
  readonly until: string;
  readonly movements: number;
  readonly written: number;
  readonly differences: readonly unknown[];
  readonly cursor?: string;
}

/** From a little before the order on until now, part by part. */
function Reconcile({ site, since, done }: { site: string; since: string; done: () => void }): JSX.Element {
  const [until, setUntil] = useState<string | undefined>(undefined);
  const leave = useRef<AbortController | undefined>(undefined);

  const reconcile = async (): Promise<void> => {
    // A minute: the clock of who pays is not ours.
    const from = new Date(Date.parse(since) - 60_000).toISOString();
    const to = new Date().toISOString();
    const why = await confirmed({
      title: 'Reconcile the books',
      will: [
        `${site} asks the payment provider for all that it has moved since ${from}, of every order.`,
        'What is not in the books yet is written down; nothing that is there is changed.',
      ],
      act: 'Reconcile',
    });
    if (why === undefined) return;
    const controller = new AbortController();
    leave.current = controller;
    setUntil(from);
    await doing(
      async () => {
        let [cursor, movements, written, differences] = [undefined as string | undefined, 0, 0, 0];
        do {
          const part: Reconciled = await ofSite<Reconciled>(site, 'ledger/reconcile', {
            method: 'POST',
            body: { from, to, ...(cursor !== undefined && { cursor }) },
            why,
            signal: controller.signal,
          });
          movements += part.movements;
          written += part.written;
          differences += part.differences.length;
          ({ cursor } = part);
          setUntil(part.until);
        } while (cursor !== undefined && !controller.signal.aborted);
        return { movements, written, differences };
      },
      ({ movements, written, differences }) =>
        `${count(movements, 'movement')}, ${written} of them written now, ${count(differences, 'difference')}.`,
    );
    setUntil(undefined);
    done();
  };

  return (
    <div class="buttons">
      {until === undefined ? (
        <button type="button" onClick={() => void reconcile()}>
          Reconcile since the order
        </button>
      ) : (
        <>
          <button type="button" onClick={() => leave.current?.abort()}>
            Stop
          </button>
          <span role="status">
            Looked at until <Moment at={until} />
          </span>
        </>
      )}
    </div>
  );
}
