/**
 * Preloaded into every child of the supervisor (`node --import`): ends the child when its supervisor is gone.
 *
 * The IPC channel closes when the supervisor ends in any way, SIGKILL included. The child then gets the signal of an
 * ordinary stop, and a moment later is ended in any case. A process that was not started by the supervisor has no
 * channel, and nothing happens to it.
 */
const STOP_WITHIN_MS = 2_000;

process.once('disconnect', () => {
  // What it still writes has no reader: a broken pipe must not cut an orderly stop short.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
process.channel?.unref();
