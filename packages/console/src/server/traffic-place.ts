/** The commands of `dns`, for the stack of this machine and without a terminal. */
import path from 'node:path';
import type { Stack } from '@tandem-clouds/command-line/running-stack';
import { systemClock } from '../../../../dns/clock.ts';
import type { CommandContext } from '../../../../dns/command/command-context.ts';
import { findPlace, type Place } from '../../../../dns/command/place.ts';
import { probeOverHttp } from '../../../../dns/plan/safety.ts';
import { chooseProvider } from '../../../../dns/providers/choose.ts';
import { observeOverHttp } from '../../../../dns/shift/observe.ts';

const DNS = path.join(import.meta.dirname, '../../../../dns');
export const POLICY = path.join(DNS, 'local.policy.yml');
export const RUNBOOKS = path.join(DNS, 'runbooks');

/** @param more What differs: where its words go, and what stops it. */
export function contextFor(stack: Stack, more: Partial<CommandContext> = {}): CommandContext {
  return {
    out: () => undefined,
    err: () => undefined,
    colour: false,
    signal: new AbortController().signal,
    clock: systemClock,
    observe: observeOverHttp,
    probe: probeOverHttp,
    localStack: () => ({ ...stack, controlUrl: stack.dns.controlUrl }),
    providerFor: async (choice) =>
      chooseProvider(choice, {
        clock: systemClock,
        cloudflareToken: undefined,
        localControlUrl: stack.dns.controlUrl,
      }),
    ...more,
  };
}

/** How that stack is answered, and who answers. @throws TrafficError */
export function placeOf(stack: Stack): Promise<Place> {
  return findPlace({ policy: POLICY, stack: '' }, contextFor(stack));
}
