/**
 * What a drill may hold in its hand: the ways between the sites, each site's clock, and what it is configured with.
 *
 * Invariant: without `--drill` nothing of this is there; the functions know neither of it.
 */
import fs from 'node:fs';

export interface DrillSettings {
  /**
   * `<from>/<to>` → the TCP port on 127.0.0.1 under which `from` reaches the inbound queue of `to`, and `<from>/<to>/objects`
   * that under which it reads the storage of `to`. Something that the drill runs listens there and passes on what it lets pass.
   */
  readonly links: Readonly<Record<string, number>>;
  /** Site → absolute path of the file that holds its clock's offset in milliseconds (skewed-clock.ts). */
  readonly clocks: Readonly<Record<string, string>>;
  /**
   * Site → absolute path of a JSON file of variables. Where it is there, the functions of the site have them from their next
   * start on, in place of their own: as after a deployment with other parameters.
   */
  readonly variables?: Readonly<Record<string, string>>;
  /** Site → absolute path of the folder of the artefact that it begins with (`site-release.ts`), in place of the sources. */
  readonly artefacts?: Readonly<Record<string, string>>;
}

/**
 * Reads the file of `--drill`.
 * @throws RangeError when it cannot be read or is not of that shape.
 */
export function readDrill(file: string): DrillSettings {
  let value: Partial<DrillSettings> | null;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<DrillSettings> | null;
  } catch (error) {
    throw new RangeError(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
  const { links = {}, clocks = {}, variables = {}, artefacts = {} } = value ?? {};
  const port = (n: unknown): boolean => Number.isInteger(n) && Number(n) > 0 && Number(n) < 65_536;
  if (!Object.values(links).every(port)) throw new RangeError(`${file}: links: expected port numbers`);
  for (const [name, files] of Object.entries({ clocks, variables, artefacts })) {
    if (Object.values(files).every((path) => typeof path === 'string')) continue;
    throw new RangeError(`${file}: ${name}: expected file names`);
  }
  return { links, clocks, variables, artefacts };
}
