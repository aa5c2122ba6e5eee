/**
 * Preloaded into the processes of a site by drills (`node --import`): moves the wall clock by the offset that the
 * file named in `TANDEM_CLOCK_FILE` holds, in milliseconds. Without the variable nothing is changed.
 *
 * Only what the clock says is moved. Timers and `performance.now()` go on as they are, as with a wrong wall clock.
 */
import fs from 'node:fs';

const POLL_MS = 100;

const file = process.env['TANDEM_CLOCK_FILE'];

if (file !== undefined) {
  let offsetMs = read(file);
  setInterval(() => {
    offsetMs = read(file);
  }, POLL_MS).unref();
  const now = Date.now.bind(Date);
  Date.now = () => now() + offsetMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget) as Date,
    apply: () => new Date().toString(),
  });
}

/** A file that is not there, or only half written, says nothing. */
function read(from: string): number {
  try {
    const offset = Number(fs.readFileSync(from, 'utf8'));
    return Number.isFinite(offset) ? offset : 0;
  } catch {
    return 0;
  }
}
