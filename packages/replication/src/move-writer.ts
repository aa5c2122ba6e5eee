/**
 * Moving the right to write the records of an entity from one site to another.
 *
 * Two steps: the site that writes closes, then the next one opens. After closing, the put of a write that was decided before
 * may still be under way, for as long as a function lives; whoever opens the next site waits for that, and for what the first
 * one wrote to arrive. Without the first step the next site opens although the one before may still be open: that is for a
 * site that is lost, and only fencing it (no request reaches it before it knows the new epoch) keeps two from writing at once.
 *
 * Invariant: each step names the epoch that it has seen, and is refused when there is another by now; taken again at once it
 * does nothing the second time. A site that is opened by another than has closed, which may be lost or be given back at this
 * very moment, leaves that one so many epochs that whatever it may have done unheard stands below.
 */
import { OvertakenError } from './errors.ts';
import { localWrite } from './local-write.ts';
import { owned } from './policies/owned.ts';
import type { Protocol, Site } from './protocol.ts';
import type { SiteId } from './stamp.ts';
import { type Writer, WRITER_FIELD, writerIn, writerKey } from './writer-record.ts';

/** Digits of an epoch as a rank, which sorts as text. */
const EPOCH_DIGITS = 12;
/** What a site that is opened leaves the one before: it may have closed and been given back, unheard. */
const UNHEARD_EPOCHS = 1_000;

export interface Move {
  readonly entity: string;
  /** Who writes by the declaration. */
  readonly declared: SiteId;
  /** The epoch that was seen. */
  readonly epoch: number;
}

/** At the site that writes: it writes no more, and `to` is to be opened. @throws OvertakenError */
export function* closeWriter(site: Site, move: Move, to: SiteId): Protocol<Writer> {
  return yield* change(site, move, `close-${to}`, (now) => {
    if (now.site !== site.site || now.closedBy !== undefined)
      throw new OvertakenError(`${move.entity} is not written at ${site.site}: ${textOf(now)}`);
    return { site: to, epoch: move.epoch + 1, closedBy: site.site };
  });
}

/** At the site that is to write: it does. @throws OvertakenError */
export function* openWriter(site: Site, move: Move): Protocol<Writer> {
  return yield* change(site, move, 'open', ({ epoch, closedBy }) => ({
    site: site.site,
    epoch: epoch + (closedBy === site.site ? 1 : UNHEARD_EPOCHS),
  }));
}

function* change(
  site: Site,
  { entity, declared, epoch }: Move,
  /** Names the step, so that one that is taken twice finds its own effect. */
  step: string,
  nextOf: (now: Writer) => Writer,
): Protocol<Writer> {
  const record = yield* localWrite(site, {
    key: writerKey(entity),
    operationId: `${step}-${epoch}`,
    decide: (current) => {
      const now = writerIn(current, declared);
      if (now.epoch !== epoch)
        throw new OvertakenError(`${entity} is at epoch ${now.epoch}, not ${epoch}: ${textOf(now)}`);
      const next = nextOf(now);
      const rank = String(next.epoch).padStart(EPOCH_DIGITS, '0');
      return { [WRITER_FIELD]: owned(rank, { ...next }) };
    },
  });
  return writerIn(record, declared);
}

function textOf({ site, epoch, closedBy }: Writer): string {
  return closedBy === undefined
    ? `${site} writes since epoch ${epoch}`
    : `${closedBy} has closed with epoch ${epoch}, for ${site}`;
}
