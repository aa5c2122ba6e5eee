import type { Probe } from '../plan/safety.ts';
import type { Clock, Provider } from '../provider.ts';
import type { ProviderChoice } from '../providers/choose.ts';
import type { Mover } from '../shift/move.ts';
import type { Observe } from '../shift/observe.ts';
import type { LocalStack } from './local-stack.ts';

/** Everything outside of a command. */
export interface CommandContext {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly colour: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly probe: Probe;
  /** Asks the person at the terminal; absent when there is none. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** The stack that a `stack.json` describes, or undefined when none runs. @throws TrafficError when it is damaged. */
  readonly localStack?: (file: string) => LocalStack | undefined;
  /** As a `Mover` has them. */
  readonly whenStopped?: Mover['whenStopped'];
  readonly onMoment?: Mover['onMoment'];
  readonly providerFor: (of: ProviderChoice) => Promise<Provider>;
}
