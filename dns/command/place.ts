/** The policy of a command as it holds where the command runs, and the provider that carries it out. */
import type { Policy } from '../policy/policy.ts';
import { readPolicy } from '../policy/read-policy.ts';
import type { Provider } from '../provider.ts';
import type { CommandContext } from './command-context.ts';
import { policyFor } from './local-stack.ts';

/** What a command works with: a policy as it holds here, and who carries it out. */
export interface Place {
  readonly policy: Policy;
  readonly provider: Provider;
  /** Of a local stack. */
  readonly operatorKey: string | undefined;
}

/** @throws TrafficError when the policy or the stack's file is wrong. */
export async function findPlace(
  { policy: file, stack: stackFile }: { readonly policy: string; readonly stack: string },
  commandContext: Pick<CommandContext, 'localStack' | 'providerFor'>,
): Promise<Place> {
  const policy = readPolicy(file);
  const stack = policy.provider === 'local' ? commandContext.localStack?.(stackFile) : undefined;
  if (stack === undefined) {
    return { policy, provider: await commandContext.providerFor(policy), operatorKey: undefined };
  }
  const { controlUrl, operatorKey, sites } = stack;
  const here = policyFor(policy, sites);
  return { policy: here, provider: await commandContext.providerFor({ ...here, controlUrl }), operatorKey };
}
