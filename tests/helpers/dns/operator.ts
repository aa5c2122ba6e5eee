/** Runs commands as an operator does, with a policy in a file, and keeps what they say. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CommandContext } from '../../../dns/command/command-context.ts';
import { runDns } from '../../../dns/command/run.ts';
import type { Clock, Provider } from '../../../dns/provider.ts';
import type { Observe } from '../../../dns/shift/observe.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Operator {
  /** Holds the policy and the timelines. */
  readonly dir: string;
  write(policy: string): void;
  run(args: readonly string[], more?: Partial<CommandContext> & { provider?: Provider }): Promise<Ran>;
  leave(): void;
}

/** Sites that answer quickly and are nearly in step. */
export const wellObserved: Observe = ({ site, requests }) =>
  Promise.resolve({
    site,
    latenciesMs: Array.from({ length: requests }, () => 20),
    errors: 0,
    peers: [{ site: 'peer', lagMs: 100, safeTimeBehindMs: 100, exposedKeys: 1 }],
  });

/** Every site is well, and nobody is there to be asked, unless a run says otherwise. */
export function operatorOf({
  provider,
  clock,
}: {
  readonly provider: Provider;
  readonly clock: Clock;
}): Operator {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-dns-'));
  const file = path.join(dir, 'policy.yml');
  return {
    dir,
    write: (policy) => fs.writeFileSync(file, policy),
    async run(args, more = {}) {
      const [out, err]: [string[], string[]] = [[], []];
      const moves = ['shift', 'drain', 'failover', 'restore'].includes(args[0] ?? '');
      const timeline = moves ? ['--timeline', path.join(dir, 'timeline.json')] : [];
      const code = await runDns([...args, '--policy', file, ...timeline], {
        out: (text) => void out.push(text),
        err: (text) => void err.push(text),
        colour: false,
        signal: new AbortController().signal,
        clock,
        observe: wellObserved,
        probe: () => Promise.resolve(true),
        providerFor: () => Promise.resolve(more.provider ?? provider),
        ...more,
      });
      return { code, out: out.join(''), err: err.join('') };
    },
    leave: () => fs.rmSync(dir, { recursive: true }),
  };
}
