/** A line of figures as small bars, for a terminal. Pure. */
import { aligned } from '@tandem-clouds/command-line/table';
import type { Direction } from '@tandem-clouds/operator/directions';
import { duration } from './table.ts';

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
/** A minute of looks. */
export const LOOKS_MAX = 60;

/**
 * One character a value: the lowest bar is 0, the highest the highest of them. A value that is not known is a gap.
 *
 *     sparkline([0, 1, undefined, 4])   // '▁▃ █'
 */
export function sparkline(values: readonly (number | undefined)[]): string {
  const most = Math.max(0, ...values.filter((value) => value !== undefined));
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      const height = most === 0 ? 0 : Math.ceil((Math.max(0, value) / most) * (BARS.length - 1));
      return BARS[height] ?? BARS[0];
    })
    .join('');
}

/** What the last looks have found, per direction, for as long as a watch lasts. */
export class RecentLooks {
  readonly #directions = new Map<string, Pick<Direction, 'keysAtRisk' | 'behindMs'>[]>();

  add(directions: readonly Direction[]): void {
    for (const { from, to = '', keysAtRisk, behindMs } of directions) {
      const name = `${from} → ${to}`;
      const known = this.#directions.get(name) ?? [];
      known.push({
        ...(keysAtRisk !== undefined && { keysAtRisk }),
        ...(behindMs !== undefined && { behindMs }),
      });
      this.#directions.set(name, known.slice(-LOOKS_MAX));
    }
  }

  /** A table with a line for each direction; nothing before the second look. */
  toText(): string {
    const rows = [...this.#directions].flatMap(([name, looks]) => {
      if (looks.length < 2) return [];
      const keys = looks.map(({ keysAtRisk }) => keysAtRisk);
      const behind = looks.map(({ behindMs }) => behindMs);
      const most = Math.max(0, ...keys.filter((value) => value !== undefined));
      const longest = behind.filter((value) => value !== undefined);
      return [
        [
          name,
          sparkline(keys),
          `at most ${most}`,
          sparkline(behind),
          `at most ${duration(Math.max(0, ...longest))}`,
        ],
      ];
    });
    if (rows.length === 0) return '';
    const headings = ['the last looks', 'keys at risk', '', 'safe time behind', ''];
    return `\n${aligned([headings, ...rows]).join('\n')}\n`;
  }
}
