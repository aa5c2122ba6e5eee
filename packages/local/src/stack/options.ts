/** What a stack is started with, and how the options of `start` come to it. */
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { choosePorts, type Ports } from '../ports.ts';
import type { PaymentProviderName } from '../processes/payments-settings.ts';
import { type DrillSettings, readDrill } from './drill-file.ts';
import { parseSites, type SiteName } from './sites.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** Whether types are checked. */
export const TYPE_CHECKS = ['on', 'off'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface StackOptions {
  readonly sites: readonly SiteName[];
  /** As asked for: 0 is still 0. One for `issuer` is there when records are for callers with a token only. */
  readonly ports: Ports;
  /** Data, logs and `stack.json`; relative to the current folder, or absolute. */
  readonly dir: string;
  /** Data in memory only. */
  readonly ephemeral: boolean;
  /** Write sample data once everything runs. */
  readonly seed: boolean;
  readonly logLevel: LogLevel;
  /** Everything that the processes write goes to the terminal too. */
  readonly verbose: boolean;
  /** An inspector for each process that runs our code. */
  readonly inspect: boolean;
  /** Whether type errors of what is changed are reported. */
  readonly types: (typeof TYPE_CHECKS)[number];
  /** Each site keeps its archive in the other cloud. */
  readonly backup: boolean;
  /** Whose sandbox the sites take payments at. */
  readonly payments: PaymentProviderName;
  /** Base address of a collector of OTLP, in place of the stack's own. */
  readonly collector?: string | undefined;
  /** Present when a drill holds the ways between the sites and their clocks in its hand. */
  readonly drill?: DrillSettings;
}

interface StartInput extends Omit<StackOptions, 'drill' | 'ports' | 'sites'> {
  readonly sites: string;
  readonly port: readonly string[];
  readonly protected: boolean;
  readonly drill: string | undefined;
}

/** @throws UsageError naming the option that has a bad value. */
export function stackOptionsOf({ port, protected: isProtected, ...input }: StartInput): StackOptions {
  const { drill: drillFile, ...rest } = input;
  const sites = option('sites', () => parseSites(input.sites));
  const ports = option('port', () =>
    choosePorts(sites, port, { withIssuer: isProtected, withInspectors: input.inspect }),
  );
  const drill = drillFile === undefined ? undefined : option('drill', () => readDrill(drillFile));
  return { ...rest, sites, ports, ...(drill && { drill }) };
}

function option<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
