/** Signals to a child and everything that it started: each child of the supervisor leads a process group. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;

/**
 * Sends a signal to every process of the group; false when none is left. Signal 0 only asks.
 * Windows has no groups: there only the leader is reached.
 */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(process.platform === 'win32' ? leader : -leader, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // A group of which only zombies are left may be refused.
    if (code === 'EPERM') return false;
    throw error;
  }
}

/** Waits for what a dead leader left behind, and kills what is still there after `graceMs`. */
export async function reapGroup(leader: number, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  while (signalGroup(leader, 0)) {
    if (Date.now() >= deadline) {
      signalGroup(leader, 'SIGKILL');
      return;
    }
    await delay(POLL_MS);
  }
}
