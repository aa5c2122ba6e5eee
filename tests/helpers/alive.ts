/** Whether processes exist, for tests that end them. */
import fs from 'node:fs';

/** True while the process runs; a zombie, which only waits for its parent to notice, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || !/^\d+ \(.*\) Z /s.test(statOf(pid));
}

function statOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return `${pid} () Z `;
  }
}
