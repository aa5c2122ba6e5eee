/** What the bench itself takes from the machine, and whether the machine had anything to spare: trust needs both. */
import os from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface Footprint {
  /** Processor time of the bench, in cores. */
  readonly ownCores: number;
  /** Share of the machine's processor time that nobody used, 0 to 1; near 0, everything waited for a core. */
  readonly idleShare: number;
  /** 99th percentile of how late the event loop of the bench was. */
  readonly lateP99Ms: number;
}

const RESOLUTION_MS = 1;

/** Runs `work` and tells what it took. */
export async function withFootprint<T>(work: () => Promise<T>): Promise<{ result: T; footprint: Footprint }> {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const machineBefore = machineTimes();
  const ownBefore = process.cpuUsage();
  const startedAt = performance.now();
  loop.enable();
  const result = await work();
  loop.disable();
  const { user, system } = process.cpuUsage(ownBefore);
  const machine = machineTimes();
  const total = machine.total - machineBefore.total;
  return {
    result,
    footprint: {
      ownCores: (user + system) / 1_000 / (performance.now() - startedAt),
      idleShare: total === 0 ? 0 : (machine.idle - machineBefore.idle) / total,
      lateP99Ms: Math.max(0, loop.percentile(99) / 1e6 - RESOLUTION_MS),
    },
  };
}

function machineTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, total };
}
