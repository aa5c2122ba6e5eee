/**
 * Records that one site writes at a time: clients that go where they are sent, and an operator who moves the right to write,
 * as planned or after the loss of a site that comes back.
 */
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import { verificationKey, verificationOf } from '@tandem-clouds/replication/anti-entropy/verification';
import { AppError, isRetryable, NotWriterHereError } from '@tandem-clouds/replication/errors';
import { type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { closeWriter, type Move, openWriter } from '@tandem-clouds/replication/move-writer';
import { change } from '@tandem-clouds/replication/policies/set';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { entityOf } from '@tandem-clouds/replication/record';
import { type Writer, writerIn, writerKey } from '@tandem-clouds/replication/writer-record';
import type { Operation } from '../invocation.ts';
import { invoke } from '../invoke.ts';
import { observed } from '../observed.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import type { WriterWatcher } from './checkers.ts';
import { type Confirmed, DONE, LEDGER } from './ledger.ts';

const KEYS = 4;
const ATTEMPTS_MAX = 5;
/** More than a function stands still here (five minutes), and a put lands late (half a minute). */
const SETTLE_MS = 340_000;
const POLL_MS = 5_000;
const POLLS_MAX = 60;
/** After which a comparison is begun anew: one of its steps may be among the dead letters. */
const COMPARISON_POLLS = 24;

/** What happens in one schedule. */
export class Writing {
  readonly #world: World;
  readonly #watcher: WriterWatcher;
  readonly declared: string;
  readonly confirmed: Confirmed[] = [];
  /** Sites that no request reaches. */
  readonly #fenced = new Set<SimSite>();

  constructor(world: World, watcher: WriterWatcher) {
    this.#world = world;
    this.#watcher = watcher;
    this.declared = world.sites[0]?.name ?? '';
    for (const site of world.sites)
      site.declaredWriter = (key) => (entityOf(key) === LEDGER ? this.declared : undefined);
  }

  /** @param lastsMs How long clients are at work. */
  schedule(operations: number, lastsMs: number): void {
    const { agenda, random } = this.#world;
    for (let index = 0; index < operations; index += 1)
      agenda.at(random.between(100, lastsMs), () => {
        this.#world.counts.operations += 1;
        const request = { key: `${LEDGER}:k${this.#world.random.int(KEYS)}`, id: `op${index}` };
        this.#submit(this.#world.random.pick(this.#world.sites), request, 1);
      });
    agenda.at(random.between(10_000, lastsMs / 2), () => this.#move());
  }

  writerAt(site: SimSite): Writer {
    return writerIn(site.store.records.get(writerKey(LEDGER)), this.declared);
  }

  #submit(site: SimSite, request: Confirmed, attempt: number): void {
    const world = this.#world;
    const again = (at: SimSite, delayMs: number): void => {
      if (attempt < ATTEMPTS_MAX) world.agenda.after(delayMs, () => this.#submit(at, request, attempt + 1));
    };
    if (site.down || this.#fenced.has(site)) {
      again(world.random.pick(world.sites), world.random.between(50, 5_000));
      return;
    }
    const { key, id } = request;
    const write: LocalWrite = { key, operationId: id, decide: () => ({ [DONE]: change({ add: [id] }) }) };
    this.#invoke(
      site,
      `${id}/${attempt}`,
      (own) => localWrite(own, write),
      (error) => {
        if (error === undefined) this.confirmed.push(request);
        else if (error instanceof NotWriterHereError) again(world.site(error.sites[0] ?? ''), 10);
        else if (error === DIED || isRetryable(error))
          again(world.random.pick(world.sites), world.random.between(50, 60_000));
      },
    );
  }

  /** The operator: to another site, with the one that writes, or without it. */
  #move(): void {
    const world = this.#world;
    const from = world.site(this.#newest().site);
    const to = world.random.pick(world.sites.filter((site) => site !== from));
    const roll = world.random.next();
    if (roll < 0.7) this.#plan(from, to, roll < 0.2);
    else this.#lose(from, to);
  }

  /** @param isLost Whether the site is lost right after it has closed. */
  #plan(from: SimSite, to: SimSite, isLost: boolean): void {
    const move = this.#moveNow(from);
    this.#watcher.opensWith(this.confirmed);
    this.#persist(
      from,
      'close',
      (own) => closeWriter(own, move, to.name),
      () => {
        if (isLost) this.#lose(from, to);
        else this.#world.agenda.after(SETTLE_MS, () => this.#await(from, to, POLLS_MAX));
      },
    );
  }

  #await(from: SimSite, to: SimSite, polls: number): void {
    const keys = [...from.store.records.values()].filter(({ key }) => entityOf(key) === LEDGER);
    const isHere = keys.every(({ pending }) => pending[to.name] === undefined);
    const { epoch } = this.writerAt(from);
    if (!isHere || this.writerAt(to).epoch !== epoch) {
      this.#again(from, to, polls);
      return;
    }
    const atMs = Math.round(this.#world.agenda.nowMs);
    const job = {
      id: `arrived ${atMs}`,
      from: from.name,
      to: to.name,
      atMs: from.now(),
      repair: true,
      of: LEDGER,
    };
    this.#persist(
      from,
      job.id,
      (own) => begin(own, job),
      () => this.#compared(from, to, { polls, id: job.id, left: COMPARISON_POLLS }),
    );
  }

  #again(from: SimSite, to: SimSite, polls: number): void {
    if (polls > 0) this.#world.agenda.after(POLL_MS, () => this.#await(from, to, polls - 1));
  }

  /** Opens the next one once a comparison has found that it holds all that the one before does. */
  #compared(
    from: SimSite,
    to: SimSite,
    { polls, id, left }: { readonly polls: number; readonly id: string; readonly left: number },
  ): void {
    const key = verificationKey({ from: from.name, to: to.name, of: LEDGER });
    const known = verificationOf(from.store.records.get(key));
    const result = known?.job.id === id ? known.from : undefined;
    if (result?.counted === undefined && left > 0) {
      this.#world.agenda.after(POLL_MS, () => this.#compared(from, to, { polls, id, left: left - 1 }));
      return;
    }
    if (result?.counted === undefined || result.differing > 0) this.#again(from, to, polls);
    else this.#persist(to, 'open', (own) => openWriter(own, this.#moveNow(to)));
  }

  /** Out of service and fenced; what was under way there has ended by the time that the next one opens. */
  #lose(from: SimSite, to: SimSite): void {
    const { agenda } = this.#world;
    from.halted = true;
    this.#watcher.opensWith(undefined);
    this.#fenced.add(from);
    agenda.after(SETTLE_MS, () => {
      this.#persist(
        to,
        'open',
        (own) => openWriter(own, this.#moveNow(to)),
        () => {
          agenda.after(this.#world.random.between(1_000, 60_000), () => {
            this.#watcher.isNamed(from, to, this.confirmed);
            from.halted = false;
            this.#unfence(from, to);
          });
        },
      );
    });
  }

  /** Its clients come back once it knows. */
  #unfence(site: SimSite, to: SimSite): void {
    if (this.writerAt(site).epoch >= this.writerAt(to).epoch) this.#fenced.delete(site);
    else this.#world.agenda.after(POLL_MS, () => this.#unfence(site, to));
  }

  #moveNow(site: SimSite): Move {
    return { entity: LEDGER, declared: this.declared, epoch: this.writerAt(site).epoch };
  }

  #newest(): Writer {
    return this.#world.sites
      .map((site) => this.writerAt(site))
      .reduce((newest, writer) => (writer.epoch > newest.epoch ? writer : newest));
  }

  /** An operator tries until it is done; a step that was done is done once. */
  #persist(site: SimSite, name: string, protocol: (own: Site) => Protocol<unknown>, then?: () => void): void {
    const again = (): void => {
      this.#world.agenda.after(POLL_MS, () => this.#persist(site, name, protocol, then));
    };
    if (site.down) {
      again();
      return;
    }
    this.#invoke(site, name, protocol, (error) => {
      if (error === undefined) then?.();
      else if (error === DIED || isRetryable(error)) again();
    });
  }

  #invoke<Result>(
    site: SimSite,
    id: string,
    protocol: (own: Site) => Protocol<Result>,
    ended: (error: unknown) => void,
  ): void {
    const operation: Operation = { id, decided: undefined };
    invoke(this.#world, site, {
      kind: 'write',
      operation,
      protocol: (own) => observed(protocol(own), operation),
      ended: (ending) => {
        const error = ending.kind === 'threw' ? ending.error : ending.kind === 'died' ? DIED : undefined;
        if (ending.kind === 'threw' && !(ending.error instanceof AppError))
          this.#world.find([{ invariant: 'no defects', detail: `${id} threw ${String(ending.error)}` }]);
        ended(error);
      },
    });
  }
}

const DIED = 'died';
