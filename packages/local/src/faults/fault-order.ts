/**
 * Faults of a stack on this machine, by name: what can be ordered, what is on, and how an order is read.
 *
 * Invariant: a fault has one id, which follows from what it is. So none is on twice, and whoever knows what is on can
 * lift it.
 */
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { nearest } from '@tandem-clouds/command-line/nearest';

/** Those that are about a site as a whole. */
export const SITE_FAULTS = ['stop', 'freeze', 'errors', 'throttle'] as const;
export const FAULT_KINDS = [...SITE_FAULTS, 'slow', 'partition'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Milliseconds: beyond it, calls are over before they are answered. */
export const SLOW_MS_MAX = 30_000;
/** Milliseconds: a day. */
export const FOR_MS_MAX = 86_400_000;

/**
 * - `stop`: functions, bridge and emulators are killed (SIGKILL) and not started again until it is lifted.
 * - `freeze`: the same processes are stopped (SIGSTOP): they answer nothing, and connections hang.
 * - `errors`: the store and the queues answer every call with an error of the service.
 * - `throttle`: the store and the queues refuse every call, as where too much is asked for.
 * - `slow`: every call to the store and to the queues takes `ms` longer.
 * - `partition`: connections from `site` to the queues and to the objects of `peer` are refused; with `both` also those back.
 */
export type FaultOrder = {
  readonly site: string;
  /** Milliseconds after which it is lifted by itself. */
  readonly forMs?: number;
} & (
  | { readonly kind: (typeof SITE_FAULTS)[number] }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'partition'; readonly peer: string; readonly both?: boolean }
);

/** A fault that is on. */
export interface ImposedFault {
  /** `stop:azure-eastus`, `partition:aws-us-east-1/azure-eastus`, `partition:aws-us-east-1+azure-eastus` (both ways). */
  readonly id: string;
  readonly kind: FaultKind;
  readonly site: string;
  /** Of a partition. */
  readonly peer?: string;
  readonly both?: boolean;
  /** Of `slow`. */
  readonly ms?: number;
  /** RFC 3339. */
  readonly since: string;
  /** When it is lifted by itself; RFC 3339. */
  readonly until?: string;
  /** What it does now, for people. */
  readonly sentence: string;
}

/** What the faults of a stack are, for whoever imposes them: a console, a command, a test. */
export interface LocalFaults {
  /** What is on, the oldest first. */
  list(): Promise<readonly ImposedFault[]>;
  /** Resolves when it is on. @throws FaultError */
  impose(order: FaultOrder): Promise<ImposedFault>;
  /** Resolves when it is on no more; what was stopped comes back by itself after that. @throws FaultError */
  lift(id: string): Promise<void>;
  /** @throws FaultError */
  liftAll(): Promise<void>;
}

/** Why a fault is not imposed or lifted. */
export type FaultErrorCode = 'invalid' | 'already_on' | 'not_on' | 'unavailable';

/** The message names the field and the rule, or what is on already. */
export class FaultError extends CommandError {
  override readonly name = 'FaultError';
  readonly code: FaultErrorCode;

  constructor(code: FaultErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Follows from what is ordered, but for how strong and how long it is. */
export function idOf(order: FaultOrder): string {
  if (order.kind !== 'partition') return `${order.kind}:${order.site}`;
  const ends = [order.site, order.peer];
  return `partition:${order.both === true ? ends.toSorted().join('+') : ends.join('/')}`;
}

const FIELDS = new Set(['kind', 'site', 'peer', 'both', 'ms', 'forMs']);

/**
 * Reads an order that came over the wire.
 * @param sites Of the stack.
 * @throws FaultError `invalid`
 */
export function readFaultOrder(value: unknown, sites: readonly string[]): FaultOrder {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('an object is needed');
  const given = value as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(given)) if (!FIELDS.has(field)) throw invalid(`${field}: unknown field`);
  const kind = FAULT_KINDS.find((one) => one === given['kind']);
  if (kind === undefined)
    throw invalid(`kind: ${shown(given['kind'])} is not one of ${FAULT_KINDS.join(', ')}`);
  const only = (field: string, of: FaultKind): void => {
    if (given[field] !== undefined && kind !== of)
      throw invalid(`${field}: only ${of} has one, ${kind} does not`);
  };
  only('ms', 'slow');
  only('peer', 'partition');
  only('both', 'partition');
  const site = readSite('site', given['site'], sites);
  const { forMs } = given;
  const common = { site, ...(forMs !== undefined && { forMs: readMs('forMs', forMs, FOR_MS_MAX) }) };
  switch (kind) {
    case 'slow':
      return { ...common, kind, ms: readMs('ms', given['ms'], SLOW_MS_MAX) };
    case 'partition':
      return { ...common, kind, ...readEnds(site, given, sites) };
    case 'stop':
    case 'freeze':
    case 'errors':
    case 'throttle':
      return { ...common, kind };
  }
}

function readEnds(
  site: string,
  { peer: given, both }: Readonly<Record<string, unknown>>,
  sites: readonly string[],
): { peer: string; both?: boolean } {
  const peer = readSite('peer', given, sites);
  if (peer === site) throw invalid(`peer: another site than ${site} is needed`);
  if (both !== undefined && typeof both !== 'boolean') throw invalid('both: true or false is needed');
  return { peer, ...(both === true && { both }) };
}

function readSite(field: string, value: unknown, sites: readonly string[]): string {
  const found = sites.find((site) => site === value);
  if (found !== undefined) return found;
  const close = typeof value === 'string' ? nearest(value, sites) : undefined;
  const hint = close === undefined ? '' : `; did you mean ${close}?`;
  throw invalid(`${field}: ${shown(value)} is no site of this stack (${sites.join(', ')})${hint}`);
}

function readMs(field: string, value: unknown, max: number): number {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max) return Number(value);
  throw invalid(`${field}: a whole number of milliseconds from 1 to ${max} is needed, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;
}

function invalid(message: string): FaultError {
  return new FaultError('invalid', message);
}
