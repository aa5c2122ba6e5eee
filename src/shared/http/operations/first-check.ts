/** What only an account can tell, asked by the deployed function itself. It writes only what it removes again. */
import type { Finding, Probe } from '../../ports/probe.ts';
import type { Route } from '../route.ts';

export function firstCheckRoutes(site: string, check: () => Promise<readonly Finding[]>): Route[] {
  return [
    {
      method: 'POST',
      path: '/replication/first-check',
      handle: async () => ({
        status: 200,
        body: { site, findings: await check() },
        headers: { 'cache-control': 'no-store' },
      }),
    },
  ];
}

/** How old a heartbeat may be: four beats. A timer that has never run has left none. */
export function timerProbe(beatAgeMs: () => Promise<number | undefined>, beatMs: number): Probe {
  return {
    id: 'host.timer',
    run: async () => {
      const ageMs = await beatAgeMs();
      if (ageMs === undefined) throw new Error('no heartbeat of this site: its sweeper has never run');
      if (ageMs > 4 * beatMs) throw new Error(`the last heartbeat is ${Math.round(ageMs / 1_000)} s old`);
      return `a heartbeat ${Math.round(ageMs / 1_000)} s ago`;
    },
  };
}

/** Of the memory that the function has, how much the process holds: beyond this share it is near its end. */
const SHARE_MAX = 0.8;

export function memoryProbe(heldBytes: () => number, limitBytes: () => number): Probe {
  return {
    id: 'host.memory',
    run: () => {
      const [held, limit] = [heldBytes(), limitBytes()];
      const seen = `${megabytes(held)} of ${megabytes(limit)} MB`;
      return held > SHARE_MAX * limit
        ? Promise.reject(new Error(`${seen} are in use`))
        : Promise.resolve(seen);
    },
  };
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
