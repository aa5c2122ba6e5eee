/** Moving traffic with the commands of `npm run tandem -- dns`: the same gates, lock and safeguards as for an operator. */
import { own } from '@tandem-clouds/command-line/own';
import type { CommandContext } from '../../dns/command/command-context.ts';
import { runDns } from '../../dns/command/run.ts';
import { TrafficError } from '../../dns/errors.ts';
import { type Overrides, overridesIn } from '../../dns/overrides.ts';
import type { Policy } from '../../dns/policy/policy.ts';
import { readPolicy } from '../../dns/policy/read-policy.ts';
import { breach } from '../../dns/shift/gates.ts';
import { StepError } from './run-rollout.ts';

export class Traffic {
  readonly policy: Policy;
  readonly #file: string;
  readonly #commandContext: CommandContext;

  /** @throws TrafficError when the policy is not one. */
  constructor(file: string, commandContext: CommandContext) {
    this.policy = readPolicy(file);
    this.#file = file;
    this.#commandContext = commandContext;
  }

  /** @throws StepError when a site of the policy has no URL. */
  urlOf(site: string): string {
    const url = own(this.policy.sites, site)?.url;
    if (url === undefined) throw new StepError(`the policy does not say the url of ${site}`);
    return url;
  }

  drain(site: string, signal: AbortSignal): Promise<void> {
    return this.#dns(['drain', site], signal);
  }

  /** All traffic away at once. */
  failover(site: string, signal: AbortSignal): Promise<void> {
    return this.#dns(['failover', site], signal);
  }

  restore({ now }: { readonly now: boolean }, signal: AbortSignal): Promise<void> {
    return this.#dns(now ? ['restore', '--now'] : ['restore'], signal);
  }

  /** Where traffic stands beside the policy. @throws StepError */
  async overrides(): Promise<Overrides> {
    try {
      const provider = await this.#commandContext.providerFor(this.policy);
      return overridesIn((await provider.read()).records, this.policy.zone);
    } catch (error) {
      throw asStepError(error);
    }
  }

  /** Holds a site, which is about to carry everything, to the gates of the policy. @throws StepError */
  async holdToGates(site: string): Promise<void> {
    const { gates, requestsPerSample } = this.policy.shift;
    const sample = await this.#commandContext.observe({
      site,
      url: this.urlOf(site),
      requests: requestsPerSample,
    });
    const reason = breach([sample], { gates, requestsPerSite: requestsPerSample });
    if (reason !== undefined) throw new StepError(reason);
  }

  async #dns(args: readonly string[], signal: AbortSignal): Promise<void> {
    const reported: string[] = [];
    const err = (text: string): void => {
      reported.push(text.trim());
    };
    const out = (text: string): void => {
      this.#commandContext.out(text.replaceAll(/^(?=.)/gm, '  '));
      reported.push(text.trim());
    };
    const status = await runDns([...args, '--policy', this.#file], {
      ...this.#commandContext,
      out,
      err,
      signal,
    });
    if (status !== 0)
      throw new StepError(reported.slice(-2).join('; ') || `npm run tandem -- dns ${args.join(' ')} failed`);
  }
}

function asStepError(error: unknown): unknown {
  return error instanceof TrafficError ? new StepError(error.message, { cause: error }) : error;
}
