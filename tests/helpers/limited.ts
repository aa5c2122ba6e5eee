/** Programs on a disk that is nearly full: none of their files may grow beyond a limit (`ulimit -f`). */
import { type ChildProcess, spawn } from 'node:child_process';

/** What POSIX shells count in. */
const BLOCK_BYTES = 512;

/**
 * Runs Node with these arguments. A write across the limit is a short one, and the next one fails with EFBIG, as
 * writes do on a disk that fills up.
 */
export function spawnLimited(fileBytesMax: number, args: readonly string[]): ChildProcess {
  const blocks = Math.floor(fileBytesMax / BLOCK_BYTES);
  const command = `ulimit -f ${blocks} && exec "$@"`;
  return spawn('/bin/sh', ['-c', command, 'sh', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '' },
  });
}
