/** One start of a stack with its moments, and the same number of processes that do nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';

/** Lines of `npm start --verbose` that mark the end of a phase; the last line of a phase counts. */
const PHASES: readonly (readonly [string, RegExp])[] = [
  ['supervisor runs', /^Starting .* edge …$/],
  ['emulators ready', /ready .*\.emulators$/],
  ['definitions resolved and code bundled', /\bcode of (aws|azure) is built\b/],
  ['provisioned', /\btables and queues are there\b|\bcontainer and queues are there\b/],
];
const UP = 'Tandem is up ';
const MS_PER_TICK = 10;
/** Positions after the name in /proc/<pid>/stat, which may hold spaces (proc(5): 4, and 14 to 17, of all). */
const PARENT_FIELD = 1;
const CPU_FIELDS = [11, 12, 13, 14] as const;

export interface StartPlaces {
  /** The checkout. */
  readonly tree: string;
  /** Of `--dir`. */
  readonly dir: string;
  readonly cacheDir: string;
}

export interface StartTimes {
  readonly readyMs: number;
  readonly phasesMs: ReadonlyMap<string, number>;
  /** Node processes of the stack, the supervisor included. */
  readonly processes: number;
  /** Processor time that all of them have used when the stack is ready; 0 where the system does not say. */
  readonly cpuMs: number;
}

/** Starts a stack, waits until it is up and stops it. @throws Error with its output when it does not come up. */
export async function measureStart({ tree, dir, cacheDir }: StartPlaces): Promise<StartTimes> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['scripts/start.js', '--dir', dir, '--port', 'all=0', '--verbose'], {
    cwd: tree,
    env: { ...process.env, TANDEM_CACHE_DIR: cacheDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const phasesMs = new Map<string, number>();
  const lines: string[] = [];
  let found: Omit<StartTimes, 'phasesMs'> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const ms = performance.now() - startedAt;
    const phase = PHASES.find(([, pattern]) => pattern.test(line));
    if (phase !== undefined && found === undefined) phasesMs.set(phase[0], ms);
    if (!line.startsWith(UP)) continue;
    const pids = processesOf(readStack(dir));
    found = { readyMs: ms, processes: pids.length, cpuMs: cpuMs(pids) };
    child.kill('SIGINT');
  }
  await closed;
  if (found === undefined) throw new Error(`the stack did not come up:\n${lines.join('\n')}`);
  return { ...found, phasesMs };
}

function processesOf(stack: Stack | undefined): number[] {
  if (stack === undefined) return [];
  const all = [
    stack.pid,
    stack.edge.pid,
    stack.dns.pid,
    ...stack.sites.flatMap(({ pid, bridgePid, emulatorsPid }) => [pid, bridgePid, emulatorsPid]),
  ];
  return [...new Set(all)].filter((pid) => pid !== null);
}

/** Of the processes and all that they have started, ended ones included: compilers are no Node processes. */
function cpuMs(pids: readonly number[]): number {
  if (!fs.existsSync('/proc/self/stat')) return 0;
  const all = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)));
  const counted = new Set(pids);
  // A child is listed after its parent nearly always, not always: ids wrap around.
  for (let size = -1; size !== counted.size;) {
    size = counted.size;
    for (const { pid, parent } of all) if (counted.has(parent)) counted.add(pid);
  }
  return all.reduce((sum, { pid, ticks }) => sum + (counted.has(pid) ? ticks : 0), 0) * MS_PER_TICK;
}

function statOf(pid: number): { pid: number; parent: number; ticks: number }[] {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = CPU_FIELDS.reduce((sum, field) => sum + Number(fields[field]), 0);
    return [{ pid, parent: Number(fields[PARENT_FIELD]), ticks }];
  } catch {
    // It has ended.
    return [];
  }
}

/** Milliseconds until so many processes that do nothing, started side by side, have all ended. */
export async function bareStartMs(processes: number): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: processes }, () =>
      once(
        spawn(process.execPath, ['-e', '0'], { stdio: 'ignore', cwd: path.parse(process.cwd()).root }),
        'exit',
      ),
    ),
  );
  return performance.now() - startedAt;
}
