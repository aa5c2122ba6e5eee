/** Times, amounts and values as people read them. */

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const DAY = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });

/** In the person's zone; with the day where it is not today's. */
export function localTime(at: Date, now = new Date()): string {
  return at.toDateString() === now.toDateString() ? TIME.format(at) : `${DAY.format(at)} ${TIME.format(at)}`;
}

/** `14:03:07 UTC`, with the day where it is not today's. */
export function utcTime(at: Date, now = new Date()): string {
  const text = at.toISOString();
  const time = text.slice(11, 19);
  return text.slice(0, 10) === now.toISOString().slice(0, 10)
    ? `${time} UTC`
    : `${text.slice(0, 10)} ${time} UTC`;
}

/** `240 ms`, `3.2 s`, `4 min 10 s`, `3 h 5 min` */
export function duration(ms: number): string {
  const all = Math.abs(ms);
  const sign = ms < 0 ? '−' : '';
  if (all < 1_000) return `${sign}${Math.round(all)} ms`;
  if (all < 60_000) return `${sign}${(all / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(all / 60_000);
  if (minutes < 60) return `${sign}${minutes} min ${Math.floor((all % 60_000) / 1_000)} s`;
  return `${sign}${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = n / 1_000;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`;
}

/** A value on one line. */
export function short(value: unknown, charactersMax = 60): string {
  const text = value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
}
