/** One client: sends a write or a read to a site, tries again when it got no answer, and remembers what it was told. */
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import { type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { get, type Protocol } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { areAllNew } from '../checkers/lives.ts';
import { checkSession } from '../checkers/sessions.ts';
import { type Decision, resetsOf } from './intents.ts';
import type { Operation } from './invocation.ts';
import { invoke } from './invoke.ts';
import type { SimSite } from './sim-site.ts';
import { shortStamp } from './timeline.ts';
import type { World } from './world.ts';

const ATTEMPTS_MAX = 3;

export type Rule = (current: StoredRecord | undefined, isLive: boolean) => Decision;

export interface Request {
  readonly key: string;
  readonly id: string;
  readonly rule: Rule;
  readonly expectNew: boolean;
  /** Whether it begins a life of the key. */
  readonly creates: boolean;
}

/** One attempt; a client that got no answer often tries again under the same operation id. */
export function submit(world: World, site: SimSite, request: Request, attempt: number): void {
  const { key, id, rule, expectNew, creates } = request;
  if (site.down) return;
  const operation: Operation = { id, decided: undefined };
  // An invocation ends with the release that it began with.
  const { older } = site;
  // The site asks before it decides: a heartbeat that comes between the two changes nothing.
  const understood = !older && areAllNew(site);
  const decide: LocalWrite['decide'] = (basis, isLive) => {
    const { changes, fields, meant } = rule(basis, isLive);
    operation.decided = {
      basis,
      creates: creates && !isLive,
      understood,
      fields,
      meant,
    };
    // What the release before incarnations did.
    return older && creates && !isLive ? { ...resetsOf(basis), ...changes } : changes;
  };
  invoke(world, site, {
    kind: 'write',
    operation,
    protocol: (own) =>
      localWrite(own, {
        key,
        operationId: id,
        decide,
        expectNew,
        ...(creates && !older && { creates: { keepUnseenTombstone: false } }),
      }),
    ended: (ending) => {
      if (ending.kind === 'returned') {
        acknowledge(world, site, id, ending.value);
        return;
      }
      if (ending.kind === 'threw' && !(ending.error instanceof AppError))
        world.find([{ invariant: 'no defects', key, detail: `a write threw ${String(ending.error)}` }]);
      const responded = ending.kind === 'threw' && !isRetryable(ending.error);
      world.note(
        key,
        site.name,
        () => `${id} ${ending.kind === 'threw' ? String(ending.error).slice(0, 40) : 'gets no answer'}`,
        { tone: 'client' },
      );
      if (responded || attempt >= ATTEMPTS_MAX || !world.random.chance(0.6)) return;
      world.agenda.after(world.random.between(50, 5_000), () => submit(world, site, request, attempt + 1));
    },
  });
}

function acknowledge(world: World, site: SimSite, operationId: string, record: StoredRecord): void {
  const { key } = record;
  const committed = world.committed.find(
    (write) => write.operationId === operationId && write.site === site.name,
  );
  const stamp = committed?.stamp ?? record.version ?? '';
  world.trace(`ack ${operationId} ${stamp}`, site, key);
  world.note(key, site.name, () => `${operationId} acknowledged ${shortStamp(stamp)}`, { tone: 'client' });
  world.acknowledged.push({
    atMs: world.agenda.nowMs,
    site: site.name,
    key,
    operationId,
    stamp,
    fields: committed?.fields ?? {},
    state: record.state,
  });
  const elsewhere = world.random.pick(world.sites);
  world.agenda.after(world.random.between(0, 3_000), () => read(world, elsewhere, key));
}

/** A read with every token that was given out for the key so far. */
export function read(world: World, site: SimSite, key: string): void {
  if (site.down) return;
  const tokens = world.acknowledged.filter((acknowledged) => acknowledged.key === key);
  invoke(world, site, {
    kind: 'read',
    protocol: function* (): Protocol<StoredRecord | undefined> {
      return (yield* get(key))?.record;
    },
    ended: (ending) => {
      if (ending.kind === 'returned')
        world.find(checkSession(site.name, ending.value?.state, tokens, world.forgotten));
    },
  });
}
