/**
 * `stack.json`: what runs right now, for tools (console, drills, benchmarks) and for people.
 *
 * Invariant: the file is replaced as a whole, so a reader never sees half of it, and it is there only while the
 * supervisor lives, unless that was killed. Only its owner may read it: it holds the stack's operator key.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  type Stack,
  STACK_FILE,
  STACK_VERSION,
  type StackSite,
} from '@tandem-clouds/command-line/running-stack';
import { replaceFile } from '@tandem-clouds/emulators/core/files';
import { HOST, INSPECTED, type Ports } from '../ports.ts';
import type { PaymentProviderName } from '../processes/payments-settings.ts';
import type { RunEntry } from '../run-registry.ts';
import type { SiteName } from './sites.ts';
import { endpointsOf, holdOf, type ProcessPlan, urlOf } from './topology.ts';

const OWNER_ONLY = 0o600;

/** What is asked of a kept process. */
export interface KeptProcess {
  readonly plan: Pick<ProcessPlan, 'name'>;
  readonly pid: number | undefined;
  readonly ready: boolean;
  announced(name: string): RunEntry | undefined;
}

export interface StackInput {
  readonly sites: readonly SiteName[];
  readonly ports: Ports;
  readonly keepers: readonly KeptProcess[];
  readonly startedAt: Date;
  readonly pid: number;
  readonly ephemeral: boolean;
  readonly operatorKey: string;
  readonly payments: PaymentProviderName;
  readonly faultsUrl: string;
  readonly runDir: string;
}

/** What the file says. */
export function describeStack(input: StackInput): Stack {
  const { sites, ports, startedAt, pid, ephemeral, operatorKey } = input;
  return {
    version: STACK_VERSION,
    startedAt: startedAt.toISOString(),
    pid,
    ephemeral,
    operatorKey,
    edge: { url: urlOf(ports, 'edge'), pid: kept(input, 'edge')?.pid ?? null },
    dns: {
      port: ports.get('dns') ?? 0,
      controlUrl: urlOf(ports, 'dns.control'),
      pid: kept(input, 'dns')?.pid ?? null,
    },
    ...(ports.has('issuer') && {
      issuer: { url: urlOf(ports, 'issuer'), pid: kept(input, 'issuer')?.pid ?? null },
    }),
    payments: {
      provider: input.payments,
      stripe: urlOf(ports, 'payments.stripe'),
      paypal: urlOf(ports, 'payments.paypal'),
      pid: kept(input, 'payments')?.pid ?? null,
      faults: faultsIn(kept(input, 'payments')?.announced('payments')),
    },
    mail: {
      smtp: `smtp://${HOST}:${ports.get('mail.smtp') ?? 0}`,
      web: urlOf(ports, 'mail.web'),
      sns: urlOf(ports, 'mail.sns'),
      communicationServices: urlOf(ports, 'mail.communication-services'),
      pid: kept(input, 'mail')?.pid ?? null,
      faults: faultsIn(kept(input, 'mail')?.announced('mail')),
    },
    console: { url: urlOf(ports, 'console'), pid: kept(input, 'console')?.pid ?? null },
    traces: { url: urlOf(ports, 'traces'), pid: kept(input, 'traces')?.pid ?? null },
    faults: { url: input.faultsUrl },
    sites: sites.map((site) => describeSite(site, input)),
  };
}

function describeSite(site: SiteName, input: StackInput): StackSite {
  const host = kept(input, site.site);
  const emulators = kept(input, `${site.site}.emulators`);
  return {
    ...site,
    url: urlOf(input.ports, site.site),
    pid: host?.pid ?? null,
    bridgePid: host?.announced(`${site.site}.bridge`)?.pid ?? null,
    emulatorsPid: emulators?.pid ?? null,
    ready: host?.ready === true && emulators?.ready === true,
    endpoints: endpointsOf(site, input.ports),
    ...inspectorsOf(site, input.ports),
    faults: faultsIn(emulators?.announced(`${site.site}.emulators`)),
    hold: holdOf(site.site, input.runDir),
  };
}

/** Service → where its faults are ordered. */
function faultsIn(announced: RunEntry | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(announced?.urls ?? {})
      .filter(([purpose]) => purpose.endsWith('.faults'))
      .map(([purpose, url]) => [purpose.slice(0, -'.faults'.length), url]),
  );
}

function inspectorsOf({ site }: SiteName, ports: Ports): Pick<StackSite, 'inspectors'> {
  const [functions, bridge] = INSPECTED.map((part) => ports.get(`${site}.${part}`));
  if (functions === undefined || bridge === undefined) return {};
  return {
    inspectors: [
      { part: 'functions', address: `${HOST}:${functions}` },
      { part: 'bridge', address: `${HOST}:${bridge}` },
    ],
  };
}

function kept({ keepers }: StackInput, name: string): KeptProcess | undefined {
  return keepers.find(({ plan }) => plan.name === name);
}

/** The file of one stack on disk. */
export class StackFile {
  readonly #file: string;
  #last = '';

  /** @param dir The folder of `--dir`. */
  constructor(dir: string) {
    this.#file = path.join(dir, STACK_FILE);
  }

  /** Replaces the file when something has changed. @throws FileWriteError The next call tries again. */
  write(stack: Stack): void {
    const text = `${JSON.stringify(stack, null, 2)}\n`;
    if (text === this.#last) return;
    replaceFile(this.#file, text, OWNER_ONLY);
    this.#last = text;
  }

  remove(): void {
    fs.rmSync(this.#file, { force: true });
  }
}
