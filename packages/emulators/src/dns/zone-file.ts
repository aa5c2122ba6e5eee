/**
 * The zone on disk, so that a restart goes on where the last run was.
 *
 * Invariant: the file is replaced as a whole, and a revision is in the operating system's hands before it is served.
 */
import fs from 'node:fs';
import path from 'node:path';
import { readZone, type Zone } from './zone.ts';

export interface KeptZone {
  /** One higher with each change. */
  readonly revision: number;
  readonly zone: Zone;
  /** What health checks said last, by their key. */
  readonly passing: Readonly<Record<string, boolean>>;
}

export class ZoneFile {
  readonly #file: string | undefined;

  /** @param file Undefined keeps nothing. */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  /**
   * What was kept; undefined when nothing was.
   * @throws Error naming the file when it is damaged: to serve something else than was agreed would be worse.
   */
  read(): KeptZone | undefined {
    if (this.#file === undefined || !fs.existsSync(this.#file)) return undefined;
    try {
      const { revision, zone, passing } = JSON.parse(fs.readFileSync(this.#file, 'utf8')) as KeptZone;
      if (!Number.isSafeInteger(revision)) throw new Error('it has no revision');
      return { revision, zone: readZone(zone), passing };
    } catch (cause) {
      throw new Error(`${this.#file} is damaged; move it away to start with the zone's first state`, {
        cause,
      });
    }
  }

  /** @throws Error naming the file when it cannot be written; it is as it was then. */
  write(kept: KeptZone): void {
    if (this.#file === undefined) return;
    try {
      fs.mkdirSync(path.dirname(this.#file), { recursive: true });
      fs.writeFileSync(`${this.#file}.next`, JSON.stringify(kept));
      fs.renameSync(`${this.#file}.next`, this.#file);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${this.#file} cannot be written (${why}); make room or allow it, then try again`, {
        cause,
      });
    }
  }
}
