/**
 * Traffic at the stack of this machine, by the functions of the commands (`dns/command`): there is no second way to move it.
 *
 *     GET    /api/traffic                      where it stands, what is healthy, what was and is being done
 *     GET    /api/traffic/plan                 from the zone to the policy
 *     GET    /api/traffic/preview?kind=…       what a move would do
 *     GET    /api/traffic/runbooks[/<name>?site=&over=]   the list; what one would do
 *     GET    /api/traffic/incidents/<file>     what was written of an incident
 *     POST   /api/traffic/jobs/<kind>/<site or name>   begins an order (`TrafficOrder`); what is written down has its path
 *     DELETE /api/traffic/jobs/<id>            stops it: a shift goes back to where it was
 */
import fs from 'node:fs';
import path from 'node:path';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import type { Stack } from '@tandem-clouds/command-line/running-stack';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { bodyText } from '@tandem-clouds/emulators/core/request-body';
import {
  COUNTERS_PATH,
  type CountersReport,
  HEALTH_PATH,
  type HealthReport,
} from '@tandem-clouds/emulators/dns/control';
import { checkKey } from '@tandem-clouds/zone/model';
import { acknowledgeCommand } from '../../../../dns/command/acknowledge-command.ts';
import type { CommandContext } from '../../../../dns/command/command-context.ts';
import type { CommandLine } from '../../../../dns/command/line.ts';
import { planText } from '../../../../dns/command/render.ts';
import { carryOutRunbook } from '../../../../dns/command/run-monitor.ts';
import { statusOf } from '../../../../dns/command/status.ts';
import { refuseUnknown, requestOf, trafficCommand } from '../../../../dns/command/traffic-commands.ts';
import { applyCommand } from '../../../../dns/command/zone-commands.ts';
import { parseRunbooks, readRunbookTexts, sitesOf } from '../../../../dns/monitor/runbook.ts';
import { readSettings } from '../../../../dns/monitor/settings.ts';
import { isEmpty, type Plan, readAndPlan } from '../../../../dns/plan/plan.ts';
import type { Policy } from '../../../../dns/policy/policy.ts';
import { recordsOf } from '../../../../dns/policy/records.ts';
import { preview } from '../../../../dns/shift/traffic.ts';
import type { ApiRoute } from './api.ts';
import { who } from './audit.ts';
import { Jobs } from './jobs.ts';
import { ConsoleError, replyJson } from './reply.ts';
import type { Sites } from './sites.ts';
import { moveIn, orderIn } from './traffic-order.ts';
import { contextFor, placeOf, POLICY, RUNBOOKS } from './traffic-place.ts';
import type {
  CheckView,
  MoveOrder,
  PlanView,
  PreviewView,
  RunbookView,
  TrafficDetail,
  TrafficJob,
  TrafficOrder,
  TrafficView,
} from './traffic-view.ts';

const ORDER_BYTES_MAX = 4_096;
const WITHIN_MS = 5_000;
const FILES_SHOWN = 20;
const FILE_CHARACTERS_MAX = 64_000;

/** @param dir The stack's folder: timelines and incidents are written there, as the commands do. */
export function trafficRoutes(sites: Sites, dir: string): Readonly<Record<string, ApiRoute>> {
  const traffic = new Traffic(sites, dir);
  return {
    traffic: async (request, response, { path: at, query }) => {
      const answer = async (): Promise<unknown> => {
        const [first = '', second = '', third] = at.split('/').map(decodeURIComponent);
        const { method = '' } = request;
        if (method === 'POST' && first === 'jobs')
          return traffic.start(orderIn(second, third, await bodyText(request, ORDER_BYTES_MAX)));
        if (method === 'DELETE' && first === 'jobs') return traffic.stop(second);
        if (method === 'GET') return traffic.read(first, second, query);
        throw new ConsoleError(405, `there is no ${method} of traffic/${at}`);
      };
      replyJson(response, 200, await answer().catch(rethrow));
      return 200;
    },
  };
}

/** What commands report is an answer. @throws ConsoleError */
function rethrow(error: unknown): never {
  if (error instanceof UsageError) throw new ConsoleError(400, error.message, { cause: error });
  if (error instanceof CommandError) throw new ConsoleError(409, error.message, { cause: error });
  throw error;
}

class Traffic {
  readonly #sites: Sites;
  readonly #dir: string;
  readonly #jobs = new Jobs<TrafficDetail>();

  constructor(sites: Sites, dir: string) {
    this.#sites = sites;
    this.#dir = dir;
  }

  async read(what: string, name: string, query: URLSearchParams): Promise<unknown> {
    switch (what) {
      case '':
        return this.#view();
      case 'plan':
        return this.#plan();
      case 'preview':
        return this.#preview(moveIn(Object.fromEntries(query)));
      case 'runbooks':
        return name === ''
          ? this.#runbooks()
          : this.#dryRun({
              name,
              site: query.get('site') ?? '',
              over: query.get('over') === 'true',
            });
      case 'incidents':
        return { text: this.#incident(name) };
      default:
        throw new ConsoleError(404, `there is no traffic/${what}`);
    }
  }

  stop(id: string): TrafficJob {
    return this.#jobs.stop(id);
  }

  async start(order: TrafficOrder): Promise<TrafficJob> {
    const stack = this.#sites.stack();
    switch (order.kind) {
      case 'apply':
        return this.#jobs.start(`Make the zone as the policy says (plan ${order.hash.slice(0, 12)})`, (job) =>
          this.#apply(stack, order.hash, { out: job.say, err: job.say, signal: job.signal }),
        );
      case 'runbook':
        return this.#jobs.start(
          `Runbook ${order.name} for ${order.site}${order.over ? ', the way back' : ''}`,
          async ({ say, signal }) =>
            (await this.#carryOut(stack, { ...order, dryRun: false }, { out: say, err: say, signal })) === 0,
        );
      case 'acknowledge':
        return this.#jobs.start(
          `Acknowledge ${order.runbook} of ${order.site}`,
          async ({ say, signal }) =>
            (await acknowledgeCommand(
              {
                ...{ ...order, by: who(), json: false, policy: POLICY, stack: this.#dir },
                incidents: this.#incidents,
              },
              contextFor(stack, { out: say, err: say, signal }),
            )) === 0,
        );
      case 'shift':
      case 'drain':
      case 'failover':
      case 'restore': {
        // What is refused is said before it is begun.
        const { steps, refusal } = await this.#preview(order);
        if (refusal !== undefined) throw new ConsoleError(409, refusal);
        return this.#jobs.start(sentenceOf(order), async ({ say, show, signal }) => {
          const { policy, provider } = await placeOf(stack);
          const own = withShift(policy, order);
          const detail = { steps: steps.length, shift: own.shift };
          show(detail);
          const commandContext = contextFor(stack, {
            ...{ out: say, err: say, signal, whenStopped: 'return' },
            onMoment: (moment) => show({ ...detail, moment }),
          });
          const line = { ...lineOf(order), timeline: this.#timeline(order.kind) };
          return (await trafficCommand({ line, policy: own, provider, commandContext })) === 0;
        });
      }
    }
  }

  async #view(): Promise<TrafficView> {
    const stack = this.#sites.stack();
    const { policy, provider } = await placeOf(stack);
    const [status, health, counters] = await Promise.all([
      statusOf(policy, provider),
      control<HealthReport>(stack, HEALTH_PATH),
      control<CountersReport>(stack, COUNTERS_PATH),
    ]);
    const targets = status.names.flatMap((name) => name.targets);
    return {
      ...status,
      port: stack.dns.port,
      policy: Object.fromEntries(
        recordsOf(policy).flatMap((record) =>
          record.kind === 'plain'
            ? []
            : [
                [
                  record.name,
                  Object.fromEntries(record.targets.map(({ site, weight = 0 }) => [site, weight])),
                ],
              ],
        ),
      ),
      shift: policy.shift,
      checks: Object.fromEntries(
        targets.flatMap(({ site, check }): [string, CheckView][] => {
          const report = check && health.checks[checkKey(check)];
          if (report === undefined) return [];
          const { healthy, passing, damped, changedAtMs, failure } = report;
          return [[site, { healthy, passing, damped, changedAtMs, failure }]];
        }),
      ),
      chosen: counters.chosen,
      incidentFiles: filesIn(this.#incidents),
      jobs: this.#jobs.list(),
    };
  }

  async #plan(): Promise<PlanView> {
    const { policy, provider } = await placeOf(this.#sites.stack());
    return planView(await readAndPlan(policy, provider));
  }

  async #preview(order: MoveOrder): Promise<PreviewView> {
    const stack = this.#sites.stack();
    const { policy, provider } = await placeOf(stack);
    const line = lineOf(order);
    refuseUnknown({ line, policy });
    const { probe } = contextFor(stack);
    const { steps, plan, refusal } = await preview(
      { policy: withShift(policy, order), provider, probe },
      requestOf(line),
    );
    return {
      ...planView(plan),
      steps: steps.map((overrides) => Object.fromEntries(overrides)),
      isGated: order.kind !== 'failover' && order.now !== true,
      refusal,
    };
  }

  async #apply(stack: Stack, hash: string, more: Partial<CommandContext>): Promise<boolean> {
    const { policy, provider } = await placeOf(stack);
    const line = { ...EMPTY_LINE, command: 'apply', hash, yes: true } as const;
    return (await applyCommand({ line, policy, provider, commandContext: contextFor(stack, more) })) === 0;
  }

  async #runbooks(): Promise<readonly RunbookView[]> {
    const { policy } = await placeOf(this.#sites.stack());
    return parseRunbooks(readRunbookTexts(RUNBOOKS), policy).map((runbook) => ({
      name: runbook.name,
      description: runbook.description,
      prose: runbook.prose,
      sites: sitesOf(runbook, policy),
      actions: runbook.actions.map((action) => action.do),
      over: runbook.over.map((action) => action.do),
    }));
  }

  async #dryRun(which: { name: string; site: string; over: boolean }): Promise<{ text: string }> {
    let text = '';
    await this.#carryOut(
      this.#sites.stack(),
      { ...which, dryRun: true },
      { out: (more) => void (text += more) },
    );
    return { text };
  }

  #carryOut(
    stack: Stack,
    order: { name: string; site: string; over: boolean; dryRun: boolean },
    more: Partial<CommandContext>,
  ): Promise<number> {
    const line = {
      ...{ ...order, yes: true, json: false, policy: POLICY, stack: this.#dir },
      ...{ runbooks: RUNBOOKS, incidents: this.#incidents },
    };
    return carryOutRunbook(line, { ...contextFor(stack, more), settings: readSettings() });
  }

  get #incidents(): string {
    return path.join(this.#dir, 'incidents');
  }

  #incident(name: string): string {
    if (!filesIn(this.#incidents).includes(name)) throw new ConsoleError(404, `there is no ${name}`);
    return fs.readFileSync(path.join(this.#incidents, name), 'utf8').slice(0, FILE_CHARACTERS_MAX);
  }

  #timeline(kind: string): string {
    const at = new Date().toISOString().replaceAll(':', '');
    return path.join(this.#dir, 'traffic', `${at}-${kind}.json`);
  }
}

const EMPTY_LINE = { policy: POLICY, stack: '', json: false, force: false, yes: false, now: false };

function lineOf({ kind, site, percent = 0, now = false, force = false }: MoveOrder): CommandLine {
  return {
    ...{ ...EMPTY_LINE, command: kind, now, force },
    ...(kind !== 'restore' && { site: site ?? '', percent: kind === 'shift' ? percent : 0 }),
  };
}

function withShift(policy: Policy, { stepPercent, holdSeconds }: MoveOrder): Policy {
  const given = {
    ...(stepPercent !== undefined && { stepPercent }),
    ...(holdSeconds !== undefined && { holdSeconds }),
  };
  return { ...policy, shift: { ...policy.shift, ...given } };
}

function sentenceOf({ kind, site = '', percent = 0, now = false }: MoveOrder): string {
  switch (kind) {
    case 'shift':
      return `Shift ${site} to ${percent} %`;
    case 'drain':
      return `Drain ${site}`;
    case 'failover':
      return `Take ${site} out at once`;
    case 'restore':
      return `Restore what the policy says${now ? ' at once' : ''}`;
  }
}

function planView(plan: Plan): PlanView {
  return { text: planText(plan, false), hash: plan.hash, isEmpty: isEmpty(plan) };
}

/** The newest first; their names begin with a time. */
function filesIn(dir: string): readonly string[] {
  try {
    const names = fs.readdirSync(dir).filter((name) => name.endsWith('.md'));
    return names.sort().reverse().slice(0, FILES_SHOWN);
  } catch {
    return [];
  }
}

async function control<T>({ dns }: Stack, at: string): Promise<T> {
  const response = await fetch(dns.controlUrl + at, { signal: AbortSignal.timeout(WITHIN_MS) }).catch(
    (cause: unknown) => {
      throw new ConsoleError(502, `the DNS server does not answer at ${dns.controlUrl}`, { cause });
    },
  );
  return (await response.json()) as T;
}
