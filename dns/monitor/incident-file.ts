/** A markdown file per incident, with what happened when. For people: nothing reads it back. */
import fs from 'node:fs';
import path from 'node:path';
import { prepareFolder } from '@tandem-clouds/command-line/write-file';
import { TrafficError } from '../errors.ts';
import type { Incident } from '../incidents.ts';
import type { Runbook } from './runbook.ts';

/** Keeps the file, or says its lines where there is no disk to keep it on. */
export interface IncidentLog {
  /** Opens it, once. Returns where it is, if anywhere. @throws TrafficError when it cannot be written. */
  open(incident: Incident, runbook: Runbook): string | undefined;
  /** Adds to it when it is open; a failure is no reason to stop. */
  add(incident: Incident, line: string): void;
}

/** Files `<time>-<runbook>-<site>.md` in this folder. */
export function incidentFiles(dir: string, now: () => number): IncidentLog {
  const fileOf = ({ openedAtMs, runbook, site }: Incident): string => {
    const at = stamp(openedAtMs).replaceAll(':', '');
    return path.join(dir, `${at}-${runbook}-${site.replaceAll('/', '-')}.md`);
  };
  return {
    open(incident, runbook) {
      const file = fileOf(incident);
      try {
        prepareFolder(dir);
        if (!fs.existsSync(file)) fs.writeFileSync(file, headOf(incident, runbook));
      } catch (error) {
        throw new TrafficError(`${file} cannot be written: ${(error as Error).message}`, { cause: error });
      }
      return file;
    },
    add(incident, line) {
      const file = fileOf(incident);
      try {
        if (fs.existsSync(file)) fs.appendFileSync(file, `- ${stamp(now())} ${line}\n`);
      } catch {
        // What is said here is said on the screen as well.
      }
    },
  };
}

/** For a function, whose disk nobody sees: all its lines are in the log already. */
export const noIncidentFiles: IncidentLog = { open: () => undefined, add: () => undefined };

function headOf({ openedAtMs, site }: Incident, { name, description, prose }: Runbook): string {
  return [
    `# ${name}: ${site}`,
    '',
    `${description} Since ${stamp(openedAtMs)}.`,
    ...(prose === undefined ? [] : ['', `Runbook: \`${prose}\``]),
    '',
    '## What happened',
    '',
    '',
  ].join('\n');
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
