/**
 * What test files cost, for the order in which they run: seconds by the clock, and of a processor, with the processes that
 * they start. jest.costs.json has those of the files that cost most, of a run on a machine with no other work:
 *
 *     npm test -- --record-costs
 */
import fs from 'node:fs';

const RECORD = new URL('jest.costs.json', import.meta.url);
/** Of what is shorter, its place in the order does not matter. */
const RECORDED_SECONDS_MIN = 5;

/** @returns {Record<string, [seconds: number, processorSeconds: number]>} */
export const recordedCosts = () => JSON.parse(fs.readFileSync(RECORD, 'utf8'));

/**
 * The name of a file in the record: a file of `tests/both` runs once for each cloud.
 * @param {string} file
 * @param {{ rootDir: string, displayName?: { name: string } }} project Of jest.
 */
export function nameOf(file, { rootDir, displayName }) {
  const name = file.slice(rootDir.length + 1).replace(/\.test\.ts$/, '');
  return name.startsWith('tests/both/') ? `${name} ${displayName?.name}` : name;
}

/** Of this process, and of the processes that it has started and that have ended; those only on Linux. */
export function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + secondsOfChildren();
}

const TICKS_PER_SECOND = 100;

function secondsOfChildren() {
  if (process.platform !== 'linux') return 0;
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  // After the name, which may have spaces: cutime and cstime, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/**
 * Replaces the record.
 * @param {Iterable<{ name: string, seconds: number, processorSeconds: number }>} costs Of a whole run.
 */
export function recordCosts(costs) {
  const lines = [...costs]
    .filter((cost) => Math.max(cost.seconds, cost.processorSeconds) >= RECORDED_SECONDS_MIN)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((cost) => {
      const [seconds, ofProcessor] = [cost.seconds, cost.processorSeconds].map(Math.round);
      return `  ${JSON.stringify(cost.name)}: [${seconds}, ${ofProcessor}]`;
    });
  fs.writeFileSync(RECORD, `{\n${lines.join(',\n')}\n}\n`);
}
