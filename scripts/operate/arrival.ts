/**
 * Whether the site that is to write has all that was written of an entity elsewhere.
 *
 * Invariant: yes is said of what is held, not of what is under way. That a queue is empty says nothing of what is among its
 * dead letters, and its length is approximate; so each other site has all its records of the entity compared with those of
 * the next one, by a comparison that began after nobody wrote any more. What it holds then it holds for good, however often
 * something is delivered again.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
import type { SideView, VerificationView } from '@tandem-clouds/operator/operator-api';
import { entityOf } from '@tandem-clouds/replication/record';
import { UNIQUE } from '@tandem-clouds/replication/reserved';
import type { WriterView } from '../../src/shared/http/operations/writers.ts';
import type { WriterSite } from './writer-site.ts';

/** What is still missing; undefined: nothing is. */
export interface Missing {
  /** Comparisons run, and nothing else is waited for. */
  readonly isComparing: boolean;
  /** For people. */
  readonly why: string;
}

export interface ArrivalOptions {
  /** All that answer. */
  readonly sites: readonly WriterSite[];
  /** The one that has closed. */
  readonly before: WriterSite;
  readonly next: WriterSite;
  readonly entity: string;
  /** The epoch of the closing. */
  readonly closed: number;
}

export class Arrival {
  readonly #options: ArrivalOptions;
  /** Site → its comparison. */
  readonly #begun = new Map<WriterSite, VerificationView>();
  readonly #compared = new Set<WriterSite>();

  constructor(options: ArrivalOptions) {
    this.#options = options;
  }

  /** @throws Error when somebody else has moved it meanwhile */
  async look(): Promise<Missing | undefined> {
    const { sites, before, next, entity, closed } = this.#options;
    const now = await viewOf(before, entity);
    if (now.epoch !== closed)
      throw new Error(
        `${entity} has been moved by somebody else: ${before.site} is at epoch ${now.epoch}, not ${closed}`,
      );
    // Also what another site wrote when it was the one that writes, and has not sent yet.
    const others = sites.filter((site) => site !== next && !this.#compared.has(site));
    for (const each of others) {
      const { waiting, atLeast } = await waitingAt(each, { entity, to: next.site });
      if (waiting.length > 0 || atLeast)
        return waitingFor(`${each.site} has not sent ${waiting.slice(0, 5).join(', ')}`);
    }
    if ((await viewOf(next, entity)).epoch !== closed)
      return waitingFor(`${next.site} does not know of the closing`);
    const left = (await Promise.all(others.map((each) => this.#compare(each)))).flatMap((why) => why ?? []);
    return left.length === 0 ? undefined : { isComparing: true, why: left.join('; ') };
  }

  async #compare(site: WriterSite): Promise<string | undefined> {
    const { entity, next } = this.#options;
    const begun = this.#begun.get(site);
    const view = begun && (await site.comparisons(entity)).find(({ id }) => id === begun.id);
    const side: SideView | undefined = view?.sides[site.site];
    const isEnded = side?.counted !== undefined;
    if (isEnded && side.differing === 0) {
      this.#compared.add(site);
      return undefined;
    }
    // Somebody else has begun another, or something was on its way: it is sent again, and compared again.
    if (begun === undefined || view === undefined || isEnded)
      this.#begun.set(site, await site.compare({ peer: next.site, repair: true, entity }));
    return isEnded
      ? `${next.site} lacks ${side.differing} of ${site.site} (${side.examples.slice(0, 5).join(', ')})`
      : `${site.site} is being compared with ${next.site}`;
  }
}

function waitingFor(why: string): Missing {
  return { isComparing: false, why };
}

/** The records whose writes another site has not been sent yet. */
export async function waitingAt(
  writer: WriterSite,
  { entity, to }: { readonly entity: string; readonly to: string },
): Promise<{ readonly waiting: readonly string[]; readonly atLeast: boolean }> {
  const peer = (await writer.pending()).peers.find(({ site }) => site === to);
  // A value that is claimed is taken, also where the record that has it has arrived and its claim has not.
  const waiting = (peer?.keys ?? [])
    .map(({ key }) => key)
    .filter((key) => [entity, UNIQUE].includes(entityOf(key)));
  return { waiting, atLeast: peer?.atLeast ?? false };
}

/** @throws Error when the site's release does not know it */
export async function viewOf(at: WriterSite, entity: string): Promise<WriterView> {
  const view = (await at.writers()).find((each) => each.entity === entity);
  if (view === undefined) throw new Error(`the release of ${at.site} knows no writer of ${entity}`);
  return view;
}
