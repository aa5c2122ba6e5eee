/** Runbooks as code: dns/runbooks/*.yml. What is returned has every default filled in; otherwise all mistakes are named. */
import fs from 'node:fs';
import path from 'node:path';
import { own } from '@tandem-clouds/command-line/own';
import { TrafficError } from '../errors.ts';
import type { NamedAlike } from '../policy/named-alike.ts';
import { type Mistake, parseChecked, readText, validatorOf } from '../policy/parse.ts';
import type { Gates, Policy } from '../policy/policy.ts';
import type { LevelField } from '../raised.ts';
import schema from './runbook.schema.json' with { type: 'json' };

/** Figures of a site, as GET /replication and requests of our own give them. */
export interface Figures {
  readonly errorPercent?: number;
  readonly p99Ms?: number;
  readonly replicationLagMs?: number;
  readonly safeTimeBehindMs?: number;
  readonly exposedKeys?: number;
}

export interface Conditions extends Figures {
  readonly unhealthy?: true;
}

type PlainName = 'failover' | 'openIncident' | 'pauseReplication' | 'restoreCapacity' | 'resumeReplication';

export type Action =
  | { readonly do: 'checkCapacity'; readonly limits?: Figures }
  | { readonly do: PlainName }
  | NotifyAction
  | EscalateAction
  | RaiseAction
  | { readonly do: 'restore'; readonly now?: boolean }
  | ShiftAction;

/** Of webhooks. */
interface Format {
  readonly format?: 'generic' | 'pagerduty';
  readonly severity?: 'critical' | 'error' | 'info' | 'warning';
}

export interface NotifyAction extends Format {
  readonly do: 'notify';
  readonly to: string;
}

/** Notifies one more when nobody has acknowledged the incident for so long. */
export interface EscalateAction extends Format {
  readonly do: 'escalate';
  readonly to: string;
  readonly afterSeconds: number;
}

/** Gives the other sites more, for as long as it lasts: at least so much of each that they have. */
export interface RaiseAction extends Readonly<Partial<Record<LevelField, number>>> {
  readonly do: 'raiseCapacity';
}

/** Moves traffic away from the site in steps; what is not given is as the policy's `shift` has it. */
export interface ShiftAction {
  readonly do: 'shift';
  /** What the site keeps of the traffic, of a hundred. */
  readonly percent: number;
  readonly stepPercent?: number;
  readonly holdSeconds?: number;
  /** Of the other sites: when one of them crosses a gate, traffic goes back to where it stood. */
  readonly gates?: Partial<Gates>;
}

/** runbook.schema.json with its defaults. */
export interface Runbook {
  /** That of its file. */
  readonly name: string;
  readonly description: string;
  readonly prose?: string;
  readonly trigger: {
    readonly site?: string;
    readonly cloud?: 'aws' | 'azure';
    readonly when: Conditions;
    readonly forSeconds: number;
    readonly samples: number;
  };
  readonly clear: { readonly forSeconds: number; readonly maxSeconds: number; readonly when?: Figures };
  readonly actions: readonly Action[];
  readonly over: readonly Action[];
}

/** A file that was read, from a folder or from a bundle. */
export interface RunbookText {
  /** `aws-lost.yml` */
  readonly file: string;
  readonly text: string;
}

type Schema = typeof schema;
type Definitions = Schema['definitions'];
type ActionOf<Do extends Action['do']> = Extract<Action, { readonly do: Do }>;

/** What the schema lets pass. */
type Checked = NamedAlike<
  Omit<Runbook, 'name'>,
  [
    [Omit<Runbook, 'name'>, Schema],
    [Figures, Definitions['figures']],
    [Conditions, Definitions['conditions']],
    [ActionOf<'checkCapacity'>, Definitions['checkCapacity']],
    [ActionOf<PlainName>, Definitions['plain']],
    [RaiseAction, Definitions['raiseCapacity']],
    [NotifyAction, Definitions['notify']],
    [EscalateAction, Definitions['escalate']],
    [ActionOf<'restore'>, Definitions['restore']],
    [ShiftAction, Definitions['shift']],
    [Partial<Gates>, Definitions['gates']],
  ]
>;

const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const valid = validatorOf(schema);

/** Every runbook of a folder, by name. @throws TrafficError when there is no such folder. */
export function readRunbookTexts(dir: string): readonly RunbookText[] {
  try {
    return fs
      .readdirSync(dir)
      .filter((file) => file.endsWith('.yml'))
      .sort()
      .map((file) => ({ file: path.join(dir, file), text: readText(path.join(dir, file)) }));
  } catch (error) {
    if (error instanceof TrafficError) throw error;
    throw new TrafficError(`${dir} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws TrafficError naming every mistake of every file. */
export function parseRunbooks(texts: readonly RunbookText[], policy: Policy): readonly Runbook[] {
  const mistakes: string[] = [];
  const runbooks = texts.flatMap((text) => {
    try {
      return [parseRunbook(text, policy)];
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      mistakes.push(error.message);
      return [];
    }
  });
  if (mistakes.length > 0) throw new TrafficError(mistakes.join('\n'));
  return runbooks;
}

function parseRunbook({ file, text }: RunbookText, policy: Policy): Runbook {
  const name = path.basename(file, '.yml');
  if (!NAME.test(name)) throw new TrafficError(`${file}: a runbook's name is of a-z, 0-9 and hyphens`);
  const rules = (value: unknown): readonly Mistake[] => rulesBroken(value as Partial<Runbook> | null, policy);
  const checked: Omit<Runbook, 'name'> = parseChecked(text, file, { valid, rules }) as Checked;
  return { ...checked, name };
}

/** The sites that a runbook is for. */
export function sitesOf({ trigger }: Pick<Runbook, 'trigger'>, { sites }: Policy): readonly string[] {
  const { site, cloud } = trigger;
  return Object.keys(sites).filter(
    (name) => (site === undefined || name === site) && (cloud === undefined || isOf(cloud, name)),
  );
}

function isOf(cloud: string, site: string): boolean {
  return site.startsWith(`${cloud}-`);
}

/** A part that the schema refuses is left out. */
function rulesBroken(value: Partial<Runbook> | null, policy: Policy): readonly Mistake[] {
  const trigger = (value?.trigger ?? undefined) as Partial<Runbook['trigger']> | undefined;
  if (value === null || typeof trigger !== 'object') return [];
  return [
    ...siteMistakes(trigger, policy),
    ...actionMistakes(value, 'actions', trigger),
    ...actionMistakes(value, 'over', trigger),
    ...clearMistakes(value),
    ...capacityMistakes(value),
  ];
}

function siteMistakes({ site, cloud }: Partial<Runbook['trigger']>, { sites, zone }: Policy): Mistake[] {
  const known = Object.keys(sites);
  const there = `the sites of ${zone} are: ${known.join(', ') || 'none'}`;
  if (site !== undefined && cloud !== undefined) {
    return [{ pointer: '/trigger/cloud', rule: 'site', detail: 'say a site or a cloud, not both' }];
  }
  if (site !== undefined && own(sites, site) === undefined) {
    return [{ pointer: '/trigger/site', rule: 'site', detail: `there is no site '${site}'; ${there}` }];
  }
  if (typeof cloud === 'string' && !known.some((name) => isOf(cloud, name))) {
    return [{ pointer: '/trigger/cloud', rule: 'site', detail: `no site is of '${cloud}'; ${there}` }];
  }
  const requested = sitesOf({ trigger: { site, cloud } as Runbook['trigger'] }, { sites } as Policy);
  return requested
    .filter((name) => own(sites, name)?.url === undefined)
    .map((name) => ({ pointer: '/trigger', rule: 'url', detail: `${name} has no url to be looked at` }));
}

function actionMistakes(
  value: Partial<Runbook>,
  list: 'actions' | 'over',
  { when }: Partial<Runbook['trigger']>,
): Mistake[] {
  const actions = (Array.isArray(value[list]) ? value[list] : []) as (Action | null)[];
  const onlyLost = canonicalKeys(when) === 'unhealthy';
  return actions.flatMap((action, index): Mistake[] => {
    const at = { pointer: `/${list}/${index}`, rule: 'do' };
    if (action?.do === 'restore' && list === 'actions') return [{ ...at, detail: 'restore belongs to over' }];
    if (list === 'over' && ['shift', 'escalate', 'raiseCapacity'].includes(action?.do ?? ''))
      return [{ ...at, detail: `${action?.do} belongs to actions` }];
    if (action?.do === 'restoreCapacity' && list === 'actions')
      return [{ ...at, detail: 'restoreCapacity belongs to over' }];
    if (action?.do !== 'failover') return [];
    if (list === 'over') return [{ ...at, detail: 'failover is no way back' }];
    const detail = "failover needs a trigger of 'unhealthy' alone: a site that answers serves";
    return onlyLost ? [] : [{ ...at, detail }];
  });
}

function canonicalKeys(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.keys(value).sort().join() : '';
}

function clearMistakes({ clear }: Partial<Runbook>): Mistake[] {
  if (typeof clear !== 'object') return [];
  return clear.maxSeconds < clear.forSeconds
    ? [{ pointer: '/clear/maxSeconds', rule: 'minimum', detail: 'is less than forSeconds' }]
    : [];
}

/** What is raised has to be put back, and not before the traffic that it is for is elsewhere again. */
function capacityMistakes({ actions, over }: Partial<Runbook>): Mistake[] {
  const [first, then] = [actions, over].map((list) =>
    (Array.isArray(list) ? (list as (Action | null)[]) : []).map((action) => action?.do),
  ) as [(string | undefined)[], (string | undefined)[]];
  const raises = first.indexOf('raiseCapacity');
  const back = then.indexOf('restoreCapacity');
  if (raises < 0) return [];
  const detail = 'what is raised is put back: over needs restoreCapacity, after restore';
  return back >= 0 && back > then.lastIndexOf('restore')
    ? []
    : [{ pointer: `/actions/${raises}`, rule: 'restoreCapacity', detail }];
}
