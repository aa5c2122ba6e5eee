/**
 * Gives the sites that are left more, and takes it back.
 *
 * Invariant: what there was is in the zone before anything is changed, and stays there until it is back. So whoever goes on
 * knows it, and raising again changes nothing. What somebody else has changed meanwhile is left as it is.
 */
import { own } from '@tandem-clouds/command-line/own';
import { RefusedError, TrafficError } from '../../errors.ts';
import type { Policy } from '../../policy/policy.ts';
import {
  LEVEL_FIELDS,
  type LevelField,
  type Raised,
  type RaisedFields,
  type RaisedParts,
} from '../../raised.ts';
import type { RaiseAction } from '../runbook.ts';
import { CLOUD_OF, type Part, type Scaler, type Scalers } from './level.ts';

export interface CapacityContext {
  readonly policy: Pick<Policy, 'sites'>;
  readonly scalers: Scalers;
}

/** One field of one site, and what is to be raised there. */
export interface Raise {
  readonly site: string;
  readonly field: LevelField;
  readonly to: number;
  /** Undefined: this monitor may not change the site. */
  readonly scaler: Scaler | undefined;
  /** Those that have less. */
  readonly parts: readonly Part[];
}

/** What an action asks for at every site but this one, without what no site has. @throws RefusedError for each limit */
export async function plannedRaises(
  { policy, scalers }: CapacityContext,
  action: RaiseAction,
  without: string,
): Promise<readonly Raise[]> {
  const raises: Raise[] = [];
  const mistakes: string[] = [];
  for (const { site, field, to } of wanted(action, policy, without)) {
    const scaler = scalers.get(site)?.find((one) => one.field === field);
    if (scaler === undefined) {
      if (!scalers.has(site)) raises.push({ site, field, to, scaler, parts: [] });
      continue;
    }
    const parts = (await scaler.read()).filter(({ level }) => level < to);
    if (parts.length === 0) continue;
    mistakes.push(...(await scaler.mistakes(parts, to)).map((mistake) => `${site}: ${mistake}`));
    raises.push({ site, field, to, scaler, parts });
  }
  if (mistakes.length > 0) throw new RefusedError(mistakes.join('; '));
  return raises;
}

function wanted(action: RaiseAction, { sites }: CapacityContext['policy'], without: string) {
  return Object.keys(sites)
    .filter((site) => site !== without)
    .flatMap((site) =>
      LEVEL_FIELDS.flatMap((field) => {
        const to = action[field];
        return to === undefined || !site.startsWith(`${CLOUD_OF[field]}-`) ? [] : [{ site, field, to }];
      }),
    );
}

/** With what these add; what was raised before keeps what it was before that. */
export function raisedWith(raised: Raised, raises: readonly Raise[]): Raised {
  const all: Record<string, RaisedFields> = { ...raised };
  for (const { site, field, to, parts } of raises) {
    if (parts.length === 0) continue;
    const before = own(own(all, site) ?? {}, field) ?? {};
    const more = parts.map(({ name, level }) => [name, [own(before, name)?.[0] ?? level, to]] as const);
    all[site] = { ...all[site], [field]: { ...before, ...Object.fromEntries(more) } };
  }
  return all;
}

export interface Report {
  readonly lines: readonly string[];
  /** Something is left to do, here or elsewhere. */
  readonly isLeft: boolean;
}

/** Does what was planned and written down. Does not reject for what the services say. */
export async function raiseAll(raises: readonly Raise[], renew: () => Promise<void>): Promise<Report> {
  const lines: string[] = [];
  let isLeft = false;
  for (const { site, field, to, scaler, parts } of raises) {
    if (scaler === undefined) {
      isLeft = true;
      lines.push(elsewhere(site, field));
      continue;
    }
    for (const { name, level } of parts) {
      await renew();
      const problem = await problemOf(scaler.set(name, to));
      isLeft ||= problem !== undefined;
      lines.push(`${site} ${field} of ${name}: ${problem ?? `from ${level} to ${to}`}`);
    }
  }
  return { lines, isLeft };
}

/** @returns What could not be put back and is still to be. */
export async function putBack(
  { scalers }: CapacityContext,
  raised: Raised,
  renew: () => Promise<void>,
): Promise<{ readonly lines: readonly string[]; readonly left: Raised }> {
  const lines: string[] = [];
  const left: Record<string, RaisedFields> = {};
  for (const [site, fields] of Object.entries(raised)) {
    for (const [field, parts] of Object.entries(fields) as [LevelField, RaisedParts][]) {
      await renew();
      const scaler = scalers.get(site)?.find((one) => one.field === field);
      const remaining =
        scaler === undefined
          ? { parts, line: elsewhere(site, field) }
          : await putBackParts(scaler, parts, `${site} ${field}`);
      lines.push(remaining.line);
      if (Object.keys(remaining.parts).length > 0) left[site] = { ...left[site], [field]: remaining.parts };
    }
  }
  return { lines, left };
}

async function putBackParts(
  scaler: Scaler,
  parts: RaisedParts,
  what: string,
): Promise<{ readonly parts: RaisedParts; readonly line: string }> {
  const lines: string[] = [];
  const left: Record<string, RaisedParts[string]> = {};
  let now: readonly Part[];
  try {
    now = await scaler.read();
  } catch (error) {
    if (!(error instanceof TrafficError)) throw error;
    return { parts, line: `${what}: ${error.message}` };
  }
  for (const [name, [from, to]] of Object.entries(parts)) {
    const level = now.find((part) => part.name === name)?.level;
    if (level !== to) {
      const there = level === undefined ? 'it is gone' : `somebody has set it to ${level}`;
      lines.push(`${name} ${level === from ? `is at ${from} already` : `is left: ${there}`}`);
      continue;
    }
    const problem = await problemOf(scaler.set(name, from));
    if (problem !== undefined) left[name] = [from, to];
    lines.push(`${name} ${problem ?? `back to ${from}`}`);
  }
  return { parts: left, line: `${what}: ${lines.join(', ')}` };
}

function elsewhere(site: string, field: LevelField): string {
  return `${site} ${field}: left to a monitor that may change it (TANDEM_CAPACITY)`;
}

async function problemOf(change: Promise<void>): Promise<string | undefined> {
  try {
    await change;
    return undefined;
  } catch (error) {
    if (!(error instanceof TrafficError)) throw error;
    return error.message;
  }
}
