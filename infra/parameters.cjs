'use strict';
/**
 * The rule book of `--param` and `custom.features`, for both definitions.
 *
 * Invariant: a parameter or flag that is misspelt, a flag with another value than true or false, or one that lacks what
 * it needs, ends the command with all mistakes named. A site that leaves its records open, or has no firewall, although
 * somebody thought to have asked for it, would be worse.
 */

/** So many letters may be wrong in a name that is still taken for another one. */
const TYPOS_MAX = 3;

/**
 * @typedef {object} Given
 * @property {Record<string, Record<string, unknown> | undefined>} params `params` of the definition, by stage.
 * @property {Record<string, unknown>} features `custom.features`: values by flag.
 * @property {readonly string[]} requested Each `--param` of the command line, as it was typed.
 * @property {Record<string, { flag?: string, values?: readonly string[] }>} needs What a flag needs besides itself.
 * @property {(name: string) => unknown} valueOf The value of a parameter that a flag needs.
 */

/** @param {Given} given @returns {string[]} Every mistake, in words. */
exports.mistakesIn = ({ params, features, requested, needs, valueOf }) => {
  const flags = Object.keys(features);
  const known = [
    ...Object.values(params).flatMap((ofStage) => Object.keys(ofStage ?? {})),
    ...flags.map((flag) => `features.${flag}`),
  ];
  const isOn = (flag) => String(features[flag]) === 'true';
  return [
    ...requested
      .map(nameIn)
      .filter((name) => !known.includes(name))
      .map((name) => unknown(name, known)),
    ...flags
      .filter((flag) => !['true', 'false'].includes(String(features[flag])))
      .map((flag) => `${flag} is true or false, not '${String(features[flag])}'`),
    ...flags.filter(isOn).flatMap((flag) => {
      const { flag: other, values = [] } = Object.hasOwn(needs, flag) ? needs[flag] : {};
      return [
        ...(other !== undefined && !isOn(other) ? [`${flag} needs ${other}`] : []),
        ...values.filter((name) => !valueOf(name)).map((name) => `${flag} needs --param "${name}=…"`),
      ];
    }),
  ];
};

const nameIn = (text) => text.split('=', 1)[0];

function unknown(name, known) {
  const [nearest] = known
    .map((other) => ({ other, typos: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ typos }) => typos <= Math.min(TYPOS_MAX, name.length / 2))
    .sort((a, b) => a.typos - b.typos);
  const help = nearest === undefined ? `there are ${known.join(', ')}` : `did you mean ${nearest.other}?`;
  return `--param ${name}: there is no such parameter; ${help}`;
}

/** Letters to insert, remove, replace or swap with their neighbour until one text is the other. */
function distance(from, to) {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[from.length][to.length];
}
