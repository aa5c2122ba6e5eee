/**
 * `.env` in the project's folder: settings of your own and secrets for this machine (docs/handlers.md). It is in no commit.
 * Secrets (`SECRET_…`) go to the emulators of the vaults, which read the file themselves; the rest is as if it had been in
 * the environment, which wins.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

export const DOT_ENV = '.env';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param projectDir Absolute. */
export function withDotEnv(projectDir: string, environment: Environment): Environment {
  const file = path.join(projectDir, DOT_ENV);
  if (!fs.existsSync(file)) return environment;
  const settings = Object.entries(parseEnv(fs.readFileSync(file, 'utf8'))).filter(
    ([name]) => !name.startsWith('SECRET_'),
  );
  return { ...Object.fromEntries(settings), ...environment };
}
