/**
 * One function invocation: runs a protocol step by step on virtual time, with the faults that can strike between
 * and during its effects. What is in memory dies with it, what took effect stays.
 */
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import { isObjectEffect, type ObjectEffect } from '@tandem-clouds/replication/objects/effects';
import type { Effect, Site } from '@tandem-clouds/replication/protocol';
import type { OutsideEffect, ReactionEffect } from '@tandem-clouds/replication/reactions/react';
import type { Invocation, Operation } from './invocation.ts';
import { type Response, runEffects } from './run-effects.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

export type Ending<Result> =
  | { readonly kind: 'returned'; readonly value: Result }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'died' };

/** A protocol of a workload: with effects beyond those of replication. */
export type SimProtocol<Result> = Generator<SimEffect, Result, unknown>;
type SimEffect = Effect | OutsideEffect | ReactionEffect | ObjectEffect | SimTogether;

/** Side by side. */
interface SimTogether {
  readonly op: 'all';
  readonly protocols: readonly SimProtocol<unknown>[];
}

/** The storages of all sites, as one of them asks them. */
export interface SimObjects {
  readonly call: (effect: ObjectEffect) => Response;
  /** How long until it takes place. */
  readonly latencyMs: (effect: ObjectEffect) => number;
}

export interface InvocationOptions<Result> {
  readonly kind: Invocation['kind'];
  readonly operation?: Operation;
  readonly protocol: (site: Site) => SimProtocol<Result>;
  /** The services outside; a workload whose steps ask none has none. */
  readonly outside?: ((effect: OutsideEffect) => Response) | undefined;
  /** Whoever does the effects of reactions. */
  readonly react?: ((effect: ReactionEffect) => Response) | undefined;
  /** A workload without content has none. */
  readonly objects?: SimObjects | undefined;
  readonly ended: (ending: Ending<Result>) => void;
}

/** Who waits for a function: `failed` when it died or may be tried again. */
export interface Waiting<Result> {
  readonly returned?: (value: Result) => void;
  readonly failed?: () => void;
}

/** Hands an ending to whoever waits; what no product may throw is a finding. */
export function handOver<Result>(
  world: World,
  name: string,
  { returned, failed }: Waiting<Result>,
): InvocationOptions<Result>['ended'] {
  return (ending) => {
    if (ending.kind === 'returned') returned?.(ending.value);
    else if (ending.kind === 'died' || isRetryable(ending.error)) failed?.();
    else if (!(ending.error instanceof AppError))
      world.find([{ invariant: 'no defects', detail: `${name} threw ${String(ending.error)}` }]);
  };
}

/** Starts an invocation at a site; `ended` is called exactly once. */
export function invoke<Result>(world: World, at: SimSite, options: InvocationOptions<Result>): void {
  const invocation: Invocation = {
    kind: options.kind,
    at,
    operation: options.operation,
    wallMs: 0,
    startedMs: world.agenda.nowMs,
    dead: false,
  };
  const site: Site = {
    site: at.name,
    peers: at.peers,
    retired: at.retired,
    ...(at.reactions !== undefined && { reactions: at.reactions }),
    ...(at.keptAt !== undefined && { keptAt: at.keptAt }),
    ...(at.declaredWriter !== undefined && { declaredWriter: at.declaredWriter }),
    now: () => {
      const nowMs = at.now();
      invocation.wallMs = Math.max(invocation.wallMs, nowMs);
      return nowMs;
    },
  };
  new Run(world, invocation, options.protocol(site), options).step(undefined);
}

class Run<Result> {
  readonly #world: World;
  readonly #invocation: Invocation;
  readonly #protocol: SimProtocol<Result>;
  readonly #ended: InvocationOptions<Result>['ended'];
  readonly #outside: Pick<InvocationOptions<Result>, 'outside' | 'react' | 'objects'>;

  constructor(
    world: World,
    invocation: Invocation,
    protocol: SimProtocol<Result>,
    { ended, outside, react, objects }: InvocationOptions<Result>,
  ) {
    this.#world = world;
    this.#invocation = invocation;
    this.#protocol = protocol;
    this.#ended = ended;
    this.#outside = { outside, react, objects };
  }

  /** Gives the protocol the answer to its last effect and does the next one. */
  step(response: Response | undefined): void {
    if (this.#invocation.dead) return;
    if (this.#world.agenda.nowMs - this.#invocation.startedMs > this.#world.lifeMaxMs) {
      this.#die();
      return;
    }
    let next: IteratorResult<SimEffect, Result>;
    try {
      next =
        response?.error === undefined
          ? this.#protocol.next(response?.value)
          : this.#protocol.throw(response.error);
    } catch (error) {
      this.#ended({ kind: 'threw', error });
      return;
    }
    if (next.done === true) this.#ended({ kind: 'returned', value: next.value });
    else this.#do(next.value);
  }

  #do(effect: SimEffect): void {
    const world = this.#world;
    if (effect.op === 'all') {
      this.#doAll(effect.protocols);
      return;
    }
    world.counts.effects += 1;
    world.current = this.#invocation.at.name;
    if (this.#invocation.at.down) {
      this.#die();
      return;
    }
    const latencyMs = this.#latencyMs(effect);
    const crashes = world.strikes('crash');
    if (crashes && world.random.chance(0.4)) {
      this.#die();
      return;
    }
    // What a write meant is fixed when it is sent, not when it lands.
    const decided = this.#invocation.operation?.decided;
    world.agenda.after(latencyMs, () => {
      const cutShort = crashes && world.random.chance(0.4);
      const response =
        effect.op === 'outside' || effect.op === 'react' || isObjectEffect(effect)
          ? this.#askOutside(effect)
          : runEffects(world, this.#invocation, effect, { decided, cutShort });
      if (crashes) {
        this.#die();
        return;
      }
      const pauseMs = world.strikes('pause') ? world.random.between(1_000, world.pauseMaxMs) : 0;
      if (pauseMs === 0) this.step(response);
      else world.agenda.after(pauseMs, () => this.step(response));
    });
  }

  #latencyMs(effect: SimEffect): number {
    if (effect.op === 'sleep') return effect.ms;
    const { objects } = this.#outside;
    if (objects !== undefined && isObjectEffect(effect)) return objects.latencyMs(effect);
    return this.#world.random.between(1, 15);
  }

  #askOutside(effect: OutsideEffect | ReactionEffect | ObjectEffect): Response {
    const { outside, react, objects } = this.#outside;
    const response =
      effect.op === 'outside'
        ? outside?.(effect)
        : effect.op === 'react'
          ? react?.(effect)
          : objects?.call(effect);
    return response ?? { error: new TypeError(`this workload has nobody for ${effect.op}`) };
  }

  /** Side by side on virtual time: each with latencies and faults of its own, all in one process, which dies as one. */
  #doAll(protocols: readonly SimProtocol<unknown>[]): void {
    const values: unknown[] = [];
    let open = protocols.length;
    let failure: { error: unknown } | undefined;
    protocols.forEach((protocol, index) => {
      new Run(this.#world, this.#invocation, protocol, {
        ...this.#outside,
        kind: this.#invocation.kind,
        protocol: () => protocol,
        ended: (ending) => {
          if (ending.kind === 'died') {
            this.#ended(ending);
            return;
          }
          if (ending.kind === 'threw') failure ??= { error: ending.error };
          else values[index] = ending.value;
          open -= 1;
          if (open > 0) return;
          if (failure === undefined) this.step({ value: values });
          else this.step({ error: failure.error as Error });
        },
      }).step(undefined);
    });
  }

  #die(): void {
    if (this.#invocation.dead) return;
    this.#invocation.dead = true;
    this.#ended({ kind: 'died' });
  }
}
