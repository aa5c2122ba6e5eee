/**
 * How every command of the project ends.
 *
 * Invariants: what could not be written, to the screen or to a file, is reported and the status is not 0, however well
 * the rest went. A reader that has seen enough, `| head`, is no error.
 */
import fs from 'node:fs';
import { writeWhole } from './write-file.ts';

const FAILED = 1;

/** Runs a command and sets the exit status that it returns. An exception is a defect, and stays one. */
export async function runCommand(main: () => number | Promise<number>): Promise<void> {
  guardOutput();
  process.exitCode = await main();
}

let isGuarded = false;
let isOutputLost = false;
let onReaderGone = endInOrder;

/**
 * Watches standard output and standard error from now on. Without it a full disk is status 0 and an empty file.
 * A script that is not `runCommand`'s uses it by itself, and so does `npm start`, which must outlive its terminal.
 */
export function guardOutput(whenReaderIsGone?: () => void): void {
  onReaderGone = whenReaderIsGone ?? onReaderGone;
  if (isGuarded) return;
  isGuarded = true;
  // Also where a script sets its status by itself, or ends at once.
  process.on('exit', (status) => {
    if (isOutputLost && status === 0) process.exitCode = FAILED;
  });
  let isReaderGone = false;
  for (const [name, stream] of [
    ['standard output', process.stdout],
    ['standard error', process.stderr],
  ] as const) {
    wholeOrError(stream);
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') {
        if (!isReaderGone) onReaderGone();
        isReaderGone = true;
        return;
      }
      // What follows the first error is the same loss.
      if (isOutputLost || isReaderGone) return;
      isOutputLost = true;
      if (stream !== process.stderr) process.stderr.write(`${name} could not be written: ${error.message}\n`);
    });
  }
}

/** A command that moves traffic listens to SIGTERM and stops in its own way; what it still writes is dropped. */
function endInOrder(): void {
  if (!process.emit('SIGTERM', 'SIGTERM')) process.exit();
}

/** Node counts a file that took a part of a text as one that took all of it. */
function wholeOrError(stream: NodeJS.WriteStream & { fd: number }): void {
  if (!fs.fstatSync(stream.fd).isFile()) return;
  stream._write = (chunk: Buffer | string, _encoding, done) => {
    try {
      writeWhole(stream.fd, Buffer.from(chunk));
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}
