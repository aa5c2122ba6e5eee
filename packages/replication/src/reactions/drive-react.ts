/** Drives a protocol of reactions with real, asynchronous effects. */
import { drive, type Resources } from '../drive.ts';
import { isObjectEffect, type ObjectEffect } from '../objects/effects.ts';
import type { TimeLimit } from '../ports/time-limit.ts';
import type { Effect, Protocol } from '../protocol.ts';
import type { OutsideEffect, ReactionEffect, ReactProtocol, Result } from './react.ts';

/** Has an effect done. It ends in a bounded time by itself; whatever it throws counts as unknown. */
export type Runner = (effect: ReactionEffect) => Promise<Result | 'absent'>;

/** Has a storage asked. It ends in a bounded time by itself, and throws what `ObjectEffect` says. */
export type ObjectRunner = (effect: ObjectEffect) => Promise<unknown>;

/** Has a service outside asked. It ends in a bounded time by itself. */
export type OutsideRunner = (effect: OutsideEffect) => Promise<unknown>;

/** What effects are done with. A function without reactions, storages or services leaves those out. */
export interface Driving {
  readonly resources: Resources;
  readonly run?: Runner;
  readonly objects?: ObjectRunner;
  readonly outside?: OutsideRunner;
  readonly limit?: TimeLimit | undefined;
}

/** Runs a protocol to its end. @throws whatever the protocol throws. */
export async function driveReact<Returned>(
  protocol: ReactProtocol<Returned>,
  driving: Driving,
): Promise<Returned> {
  let step = protocol.next();
  while (step.done !== true) {
    let result: unknown;
    try {
      result = await have(step.value, driving);
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    step = protocol.next(result);
  }
  return step.value;
}

/** Has one effect done. */
function have(effect: Asked, driving: Driving): Promise<unknown> {
  const { resources, run, objects, outside, limit } = driving;
  if (effect.op === 'react') {
    if (run === undefined) throw new TypeError('this function runs no reactions');
    return run(effect);
  }
  if (effect.op === 'outside') {
    if (outside === undefined) throw new TypeError(`this function does not ask ${effect.service}`);
    return outside(effect);
  }
  if (isObjectEffect(effect)) {
    if (objects === undefined) throw new TypeError('this function has no storages');
    return objects(effect);
  }
  if (effect.op === 'all') return haveAll(effect.protocols, driving);
  return drive(single(effect), resources, limit);
}

/** Waits for all of them, so that none goes on behind the back of a caller that has failed. */
async function haveAll(
  protocols: readonly ReactProtocol<unknown>[],
  driving: Driving,
): Promise<readonly unknown[]> {
  const endings = await Promise.allSettled(protocols.map((protocol) => driveReact(protocol, driving)));
  return endings.map((ending) => {
    if (ending.status === 'rejected') throw ending.reason;
    return ending.value;
  });
}

type Asked = ReactProtocol<unknown> extends Generator<infer Yielded, unknown, unknown> ? Yielded : never;

function* single(effect: Effect): Protocol<unknown> {
  return yield effect;
}
