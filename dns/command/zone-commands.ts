/** `plan`, `apply`, `status` and `dump`. Each returns the exit status. */
import fs from 'node:fs';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { writeFile } from '@tandem-clouds/command-line/write-file';
import { type Change, checkKey, type Route, type RoutedRecord, sharings } from '@tandem-clouds/zone/model';
import { RefusedError } from '../errors.ts';
import { acknowledgementText, type Incident, incidentsIn } from '../incidents.ts';
import { overridesIn } from '../overrides.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import { withLock } from '../plan/lock.ts';
import { isEmpty, makePlan, readAndPlan } from '../plan/plan.ts';
import { guardExtent, guardHealth } from '../plan/safety.ts';
import { dump } from '../policy/dump.ts';
import type { Policy } from '../policy/policy.ts';
import type { Provider } from '../provider.ts';
import { visible } from '../visible.ts';
import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './line.ts';
import { hashIn, painter, planJson, planText, targetLine } from './render.ts';
import { statusOf } from './status.ts';

export interface Context {
  readonly line: CommandLine;
  readonly policy: Policy;
  readonly provider: Provider;
  readonly commandContext: CommandContext;
}

export async function planCommand({ line, policy, provider, commandContext }: Context): Promise<number> {
  const plan = await readAndPlan(policy, provider);
  commandContext.out(line.json ? planJson(plan) : planText(plan, commandContext.colour));
  if (line.out !== undefined) writeFile(line.out, planJson(plan));
  return 0;
}

/** Performs the plan that was shown and no other: it is made again under the lock and compared. */
export async function applyCommand(context: Context): Promise<number> {
  const { line, policy, provider, commandContext } = context;
  const shown = await readAndPlan(policy, provider);
  if (!line.json) commandContext.out(planText(shown, commandContext.colour));
  const agreed = agreedHash(line) ?? shown.hash;
  if (agreed !== shown.hash) throw new RefusedError(changedBetween(agreed, shown.hash));
  const done: Change[] = [];
  if (!isEmpty(shown)) {
    guardExtent(shown, { changedPercentMax: policy.safety.changedPercentMax, force: line.force });
    await agree(context);
    await withLock(
      { provider, clock: commandContext.clock, report: (text) => commandContext.err(`${text}\n`) },
      async (lock) => {
        const plan = await readAndPlan(policy, provider);
        if (plan.hash !== agreed) throw new RefusedError(changedBetween(agreed, plan.hash));
        await guardHealth(plan, provider, commandContext.probe);
        await lock.renew();
        await applyPlan(plan, provider, (change) => void done.push(change));
      },
    );
  }
  commandContext.out(line.json ? planJson(shown) : done.length > 0 ? `applied ${done.length} changes\n` : '');
  return 0;
}

function agreedHash({ plan, hash }: CommandLine): string | undefined {
  if (plan === undefined) return hash;
  const read = hashIn(textOf(plan));
  if (read === undefined)
    throw new UsageError(`--plan: ${plan} is not a plan that was written by plan --out`);
  return read;
}

/** Empty when it cannot be read. */
function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function changedBetween(agreed: string, now: string): string {
  return `the zone or the policy changed since the plan was made (${agreed.slice(0, 12)}, now ${now.slice(0, 12)}); plan again`;
}

async function agree({ line, commandContext }: Context): Promise<void> {
  if (line.yes || line.plan !== undefined || line.hash !== undefined) return;
  if (commandContext.confirm === undefined)
    throw new UsageError('nobody to ask: apply needs --yes, --plan or --hash here');
  if (!(await commandContext.confirm('Apply this? [y/N] '))) throw new RefusedError('nothing was changed');
}

export async function statusCommand({ line, policy, provider, commandContext }: Context): Promise<number> {
  if (line.json) {
    commandContext.out(`${JSON.stringify(await statusOf(policy, provider))}\n`);
    return 0;
  }
  const live = await provider.read();
  const [health, lock] = [await provider.health(), await provider.readLock()];
  const overrides = overridesIn(live.records, policy.zone);
  const pending = makePlan(policy, provider, live).changes.length;
  const routed = live.records.filter((record) => record.kind === 'routed');
  const paint = painter(commandContext.colour);
  const mark = (key: string | undefined): string => {
    const healthy = key === undefined ? undefined : health.get(key);
    if (healthy === undefined) return paint('dim', 'unknown  ');
    return healthy ? paint('green', 'healthy  ') : paint('red', 'unhealthy');
  };
  const lines = [
    ...routed
      .flatMap((record) =>
        sharings(record).map((sharing): [RoutedRecord, Route | RoutedRecord] => [record, sharing]),
      )
      .flatMap(([{ name, type }, sharing]) => [
        paint('bold', `${name} ${type}${'path' in sharing ? ` ${sharing.path}` : ''} ${sharing.strategy}`),
        ...sharing.targets.map(
          (target) => `  ${mark(target.check && checkKey(target.check))} ${targetLine(target)}`,
        ),
      ]),
    ...[...overrides].map(([site, percent]) =>
      paint('yellow', `traffic stands beside the policy: ${site} at ${percent} %`),
    ),
    ...incidentsIn(live.records, policy.zone)
      .filter(({ phase }) => phase !== 'closed')
      .map((incident) => paint('yellow', incidentLine(incident))),
    ...(lock ? [`locked by ${lock.owner} until ${new Date(lock.expiresAtMs).toISOString()}`] : []),
    pending === 0 ? 'the zone is as the policy says' : `${pending} records differ from the policy; see plan`,
  ];
  commandContext.out(`${lines.join('\n')}\n`);
  return 0;
}

function incidentLine({ runbook, site, phase, openedAtMs, acknowledged }: Incident): string {
  const state = phase === 'over' ? 'on the way back; open' : 'open';
  const taken = acknowledged === undefined ? 'not acknowledged' : acknowledgementText(acknowledged);
  return visible(
    `incident ${runbook} ${site}: ${state} since ${new Date(openedAtMs).toISOString()}, ${taken}`,
  );
}

export async function dumpCommand({ policy, provider, commandContext }: Context): Promise<number> {
  const { zone, zoneId, provider: name } = policy;
  const live = await provider.read();
  commandContext.out(dump(live, { zone, provider: name, ...(zoneId !== undefined && { zoneId }) }));
  return 0;
}
