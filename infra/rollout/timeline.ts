/** What happened, in a file that is whole at every moment: a rollout that was killed leaves its last step. */
import fs from 'node:fs';
import path from 'node:path';
import { prepareFolder, writeFile } from '@tandem-clouds/command-line/write-file';

const FOLDER = path.join('.tandem', 'rollout');

export interface Timeline {
  readonly file: string;
  readonly write: (content: object) => void;
}

export function openTimeline(command: string): Timeline {
  const file = path.join(FOLDER, `${new Date().toISOString().replaceAll(':', '')}-${command}.json`);
  prepareFolder(FOLDER);
  return {
    file,
    write: (content) => {
      writeFile(`${file}.next`, `${JSON.stringify({ command, ...content }, undefined, 2)}\n`);
      fs.renameSync(`${file}.next`, file);
    },
  };
}
