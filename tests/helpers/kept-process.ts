/**
 * A process for the supervisor to keep. Its argument is a `KeptBehaviour` as JSON.
 * It writes `<name> start <pid>` and `<name> stop` into the events file.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { announce } from '@tandem-clouds/local/run-registry';

export interface KeptBehaviour {
  readonly name: string;
  readonly eventsFile: string;
  /** Ends at once with this code, after saying why. */
  readonly exitCode?: number;
  /** Writes so many bytes to its output once it is ready. */
  readonly outputBytes?: number;
  /** Lives on without ever announcing itself. */
  readonly silent?: boolean;
  /** Takes no notice of SIGTERM. */
  readonly stubborn?: boolean;
  /** Starts a process of its own, which takes no notice of SIGTERM either, and announces it as `<name>.child`. */
  readonly withChild?: boolean;
}

const behaviour = JSON.parse(process.argv[2] ?? '') as KeptBehaviour;
const { name, eventsFile, exitCode } = behaviour;
const note = (event: string): void => {
  fs.appendFileSync(eventsFile, `${name} ${event}\n`);
};

note(`start ${process.pid}`);
process.stdout.write(`{"level":"info","message":"an ordinary request"}\n`);
process.stderr.write(`last words of ${name}`);
if (exitCode !== undefined) process.exit(exitCode);

process.on('SIGTERM', () => {
  if (behaviour.stubborn === true) return;
  note('stop');
  process.exit(0);
});
if (behaviour.withChild === true) {
  const script = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  note(`child ${child.pid ?? 0}`);
}
if (behaviour.silent !== true) announce(name);
for (let left = behaviour.outputBytes ?? 0; left > 0; left -= 100)
  process.stdout.write(`${'x'.repeat(99)}\n`);
setInterval(() => undefined, 60_000);
