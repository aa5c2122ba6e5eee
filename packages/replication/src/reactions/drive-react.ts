/** Drives a protocol of reactions with real, asynchronous effects. */
import { drive, type Resources } from '../drive.ts';
import type { TimeLimit } from '../ports/time-limit.ts';
import type { Effect, Protocol } from '../protocol.ts';
import type { ReactionEffect, ReactProtocol, Result } from './react.ts';

/** Has an effect done. It ends in a bounded time by itself; whatever it throws counts as unknown. */
export type Runner = (effect: ReactionEffect) => Promise<Result | 'absent'>;

/** Runs a protocol to its end. @throws whatever the protocol throws. */
export async function driveReact<Returned>(
  protocol: ReactProtocol<Returned>,
  { resources, run, limit }: { resources: Resources; run: Runner; limit?: TimeLimit | undefined },
): Promise<Returned> {
  let step = protocol.next();
  while (step.done !== true) {
    const effect = step.value;
    let result: unknown;
    try {
      result = await (effect.op === 'react' ? run(effect) : drive(single(effect), resources, limit));
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    step = protocol.next(result);
  }
  return step.value;
}

function* single(effect: Effect): Protocol<unknown> {
  return yield effect;
}
