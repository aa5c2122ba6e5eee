/**
 * Reads and changes our rules, one by one, so that a rule of somebody else's that is made meanwhile is never lost. Only
 * the first rule of a phase makes its ruleset.
 */
import type { PhaseUpdateParams } from 'cloudflare/resources/rulesets/phases/phases';
import type { RuleCreateParams, RuleEditParams } from 'cloudflare/resources/rulesets/rules';
import { ProviderError } from '../../errors.ts';
import type { Connection } from './client.ts';
import {
  type EdgeRule,
  isOurs,
  isSame,
  type LiveRule,
  type Phase,
  PHASES,
  type Rulesets,
} from './edge-rules.ts';

interface Ruleset {
  readonly id: string;
  /** Absent when there is none. */
  readonly rules?: readonly LiveRule[];
}

export async function readRulesets({ client, query }: Connection, zoneId: string): Promise<Rulesets> {
  const read = async (phase: Phase): Promise<Rulesets[Phase]> => {
    try {
      const found = await query(async () => client.rulesets.phases.get(phase, { zone_id: zoneId }));
      const { id, rules = [] } = found as unknown as Ruleset;
      return { id, rules };
    } catch (error) {
      if (error instanceof ProviderError && error.fault === 'not-found') return { rules: [] };
      throw error;
    }
  };
  const found = await Promise.all(PHASES.map(async (phase) => [phase, await read(phase)] as const));
  return Object.fromEntries(found) as unknown as Rulesets;
}

/** Makes these rules, or makes them so again where they are not. */
export async function putRules(
  { client, query }: Connection,
  zoneId: string,
  rulesets: Rulesets,
  wanted: readonly (readonly [Phase, EdgeRule])[],
): Promise<void> {
  const ids = new Map<Phase, string | undefined>(PHASES.map((phase) => [phase, rulesets[phase].id]));
  for (const [phase, rule] of wanted) {
    const ruleset = ids.get(phase);
    if (ruleset === undefined) {
      const body = { zone_id: zoneId, rules: [rule] } as unknown as PhaseUpdateParams;
      const made = await query(async () => client.rulesets.phases.update(phase, body));
      ids.set(phase, (made as Ruleset).id);
      continue;
    }
    const present = rulesets[phase].rules.find(({ ref }) => ref === rule.ref);
    if (present && isSame(present, rule)) continue;
    if (present?.id === undefined) {
      const body = { zone_id: zoneId, ...rule } as unknown as RuleCreateParams;
      await query(async () => client.rulesets.rules.create(ruleset, body));
    } else {
      const { id } = present;
      const body = { zone_id: zoneId, ruleset_id: ruleset, ...rule } as unknown as RuleEditParams;
      await query(async () => client.rulesets.rules.edit(id, body));
    }
  }
}

/** Removes those of our rules that are not kept. */
export async function dropRules(
  { client, query }: Connection,
  zoneId: string,
  rulesets: Rulesets,
  isKept: (rule: LiveRule) => boolean,
): Promise<void> {
  for (const phase of PHASES) {
    const { id: ruleset = '', rules } = rulesets[phase];
    for (const { id = '' } of rules.filter((rule) => isOurs(rule) && !isKept(rule))) {
      await query(async () => client.rulesets.rules.delete(id, { zone_id: zoneId, ruleset_id: ruleset }));
    }
  }
}
