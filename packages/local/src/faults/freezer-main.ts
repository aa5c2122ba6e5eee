/**
 * Stops a process group (SIGSTOP) for as long as its standard input is open: `freezer-main.ts <leader>`.
 *
 * Invariant: whoever ends its input, or ends without a word, lets the group go on. A stopped process cannot notice that
 * its supervisor is gone; this one does, and then the group can.
 */
import { signalGroup } from '../stack/process-group.ts';

const leader = Number(process.argv[2]);

function thaw(): void {
  signalGroup(leader, 'SIGCONT');
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, thaw);
for (const stream of [process.stdin, process.stdout]) stream.on('error', thaw);
process.stdin.on('end', thaw).resume();
signalGroup(leader, 'SIGSTOP');
process.stdout.write('frozen\n');
