/** Invariant 17: reactions. What is true at rest, from what the sites hold and what the provider has counted. */
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import { stampSite } from '@tandem-clouds/replication/stamp';
import { logOf } from '../../checkers/conflicts.ts';
import type { Finding } from '../../history/facts.ts';
import { type Performed, projectionOf } from './provider.ts';
import { ONE_SITE, type Reacting } from './reacting.ts';
import { task } from './task.ts';

const invariant = '17 reactions';
/** As the protocol's bound, which must not be read from it. */
const EFFECTS_AN_HOUR = 60;
const ATTEMPTS = 24;
const HOUR_MS = 3_600_000;

/** Everything that must hold once all has come to rest. */
export function checkReactions(reacting: Reacting, nowMs: number): Finding[] {
  const survivors = reacting.world.sites.filter((site) => site !== reacting.lost);
  const findings: Finding[] = [];
  const keys = new Set(survivors.flatMap(({ store }) => [...store.records.keys()]));
  for (const key of [...keys].filter((each) => each.startsWith('task:'))) {
    const held = survivors.flatMap(({ name, store }) => {
      const record = store.records.get(key);
      return record === undefined ? [] : [{ site: name, record }];
    });
    const [first] = held;
    if (first === undefined) continue;
    const records = held.map(({ record }) => record);
    findings.push(...checkRun(first.record, records, nowMs), ...checkShipped(reacting, first));
    for (const each of held) findings.push(...checkProjection(reacting, each), ...checkParked(each, nowMs));
  }
  return [...findings, ...checkEffects(reacting)];
}

/** Every condition that stays true is run, and what it returns makes it false; or somebody has parked it, with a reason. */
function checkRun(record: StoredRecord, held: readonly StoredRecord[], nowMs: number): Finding[] {
  const value = (field: string): unknown => record.state.fields[field]?.[1];
  const open: string[] = [];
  if (value('order') !== undefined && value('order') !== value('mailed')) open.push('mail');
  if (value('left') !== undefined && value('left') === value('right') && value('left') !== value('joined'))
    open.push('join');
  const due = value('due');
  if (typeof due === 'number' && due < nowMs - 3 * HOUR_MS && due !== value('reminded')) open.push('remind');
  const ball = value('ball');
  if (typeof ball === 'number' && ball > 0) open.push(ball % 2 === 1 ? 'ping' : 'pong');
  return open
    .filter((reaction) => !held.some(({ reactions }) => reactions?.[reaction]?.parked !== undefined))
    .map((reaction) => ({
      invariant,
      key: record.key,
      detail: `the condition of ${reaction} is true at rest,  and nobody has run or parked it: ${held.map(({ reactions }) => JSON.stringify(reactions?.[reaction])).join(' ')}`,
    }));
}

/**
 * What the last order was for has come about; or the conflict log says that its asking lost, against what a site wrote that
 * took over before that order had crossed.
 */
function checkShipped(
  { provider, world }: Reacting,
  { site, record: { key, state } }: { readonly site: string; readonly record: StoredRecord },
): Finding[] {
  const { fields } = state;
  const stamp = fields['job']?.[0];
  if (stamp === undefined || !key.startsWith(ONE_SITE)) return [];
  const isOverruled = logOf(site, world.site(site).store.records).some(
    (entry) => entry.key === key && entry.field === 'sent' && entry.loser === stamp,
  );
  if (isOverruled) return [];
  const isOfLast = ({ reaction, record }: Performed): boolean =>
    reaction === 'ship' && record.key === key && record.state.fields['job']?.[0] === stamp;
  if (fields['sent']?.[1] === 1 && provider.performed.some(isOfLast)) return [];
  return [{ invariant, key, detail: 'what was ordered last has not come about' }];
}

const PARKED_FOR: Readonly<Record<string, readonly string[]>> = {
  mail: [],
  remind: [],
  join: ['forgotten'],
  fix: ['failed'],
  ship: [],
  ping: ['loop'],
  pong: ['loop'],
  copy: [],
};

/** Nothing is parked without a reason that applies to it. */
function checkParked({ site, record }: Held, nowMs: number): Finding[] {
  return Object.entries(record.reactions ?? {}).flatMap(
    ([reaction, { parked, dueMs, attempts = 0, tried }]) => {
      const found = (detail: string): Finding[] => [
        { invariant, key: record.key, detail: `${site}: ${reaction} ${detail}` },
      ];
      if (parked === undefined) return [];
      if (dueMs !== undefined) return found('is parked and due');
      if (!PARKED_FOR[reaction]?.includes(parked.reason)) return found(`is parked as ${parked.reason}`);
      if (parked.reason === 'failed' && attempts < ATTEMPTS)
        return found(`is parked after ${attempts} attempts`);
      const heldMs = nowMs - (tried?.atMs ?? 0);
      if (parked.reason === 'failed' && heldMs < 4 * HOUR_MS) return found('was given up within hours');
      return [];
    },
  );
}

interface Held {
  readonly site: string;
  readonly record: StoredRecord;
}

/** What runs at every site shows what the site holds. */
function checkProjection({ provider }: Reacting, { site, record }: Held): Finding[] {
  const { fields } = record.state;
  if (fields['order'] === undefined && fields['note'] === undefined) return [];
  const shown = provider.projected.get(site)?.get(record.key)?.shows;
  if (shown === projectionOf(record)) return [];
  return [{ invariant, key: record.key, detail: `${site} has not projected what it holds` }];
}

/** One effect for one state of the fields it is about, once at the provider, by the site whose business it is. */
function checkEffects({ provider, world }: Reacting): Finding[] {
  const findings: Finding[] = [];
  const found = ({ record, reaction }: Performed, detail: string): void => {
    findings.push({ invariant, key: record.key, detail: `${reaction}: ${detail}` });
  };
  const byId = new Map<string, string>();
  const byState = new Map<string, string>();
  const done = new Set<string>();
  for (const performed of provider.performed) {
    const { effectId, reaction, record } = performed;
    if (done.has(effectId)) found(performed, `${effectId} came about twice`);
    done.add(effectId);
    const state = JSON.stringify([record.key, reaction, stampsOf(reaction, record.state)]);
    if ((byState.get(state) ?? effectId) !== effectId) found(performed, 'one state has two effects');
    if ((byId.get(effectId) ?? state) !== state) found(performed, 'two states have one effect');
    byState.set(state, effectId);
    byId.set(effectId, state);
  }
  for (const call of provider.calls) {
    const origin = stampSite([...stampsOf(call.reaction, call.record.state)].sort().at(-1) ?? '');
    if (call.site !== origin && !call.retired.includes(origin))
      found(call, `is the business of ${origin}, and ${call.site} ran it`);
  }
  for (const site of world.sites) findings.push(...checkLoops(site.name, provider.performed));
  return findings;
}

function stampsOf(reaction: string, { fields }: RecordState): readonly string[] {
  return (task.reactions[reaction]?.on ?? []).map((field) => fields[field]?.[0] ?? '');
}

function checkLoops(site: string, performed: readonly Performed[]): Finding[] {
  const mine = performed.filter(({ record, site: by }) => by === site && record.key === 'task:ball');
  return mine.flatMap(({ atMs, record }, index) => {
    const later = mine[index + EFFECTS_AN_HOUR];
    // An hour that is counted may begin anew within any hour.
    const tooMany = mine[index + 2 * EFFECTS_AN_HOUR + 1];
    return later !== undefined && tooMany !== undefined && tooMany.atMs - atMs < HOUR_MS
      ? [{ invariant, key: record.key, detail: `${site}: reactions wake each other without end` }]
      : [];
  });
}
