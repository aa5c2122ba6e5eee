/** Version vectors (Parker et al., 1983): what a state includes, by the site that wrote it. */
import { own, setOwn } from './own.ts';
import { isStamp, laterStamp, type SiteId, type Stamp, stampSite } from './stamp.ts';

/** Site → the highest stamp of that site that is included. */
export type Vector = Readonly<Record<SiteId, Stamp>>;

/** Whether what was written under `stamp` is included. */
export function covers(vector: Vector, stamp: Stamp): boolean {
  return (own(vector, stampSite(stamp)) ?? '') >= stamp;
}

/** Whether all that `inner` names is included. */
export function includesVector(outer: Vector, inner: Vector): boolean {
  return Object.entries(inner).every(([site, stamp]) => (own(outer, site) ?? '') >= stamp);
}

/** The least upper bound of two vectors; the very same object when `b` adds nothing. */
export function mergeVectors(a: Vector, b: Vector): Vector {
  let merged: Record<string, string> | undefined;
  for (const [site, stamp] of Object.entries(b)) {
    const held = own(a, site);
    if (held !== undefined && held >= stamp) continue;
    merged ??= { ...a };
    setOwn(merged, site, laterStamp(held, stamp) ?? stamp);
  }
  return merged ?? a;
}

/** A vector as text: its stamps in the order of the sites. Equal vectors have equal names at every site. */
export function vectorName(vector: Vector): string {
  return Object.keys(vector)
    .sort()
    .map((site) => vector[site] ?? '')
    .join('_');
}

/** The vector of a name; undefined when the text is none. */
export function vectorOfName(name: string): Vector | undefined {
  const stamps = name.split('_');
  return stamps.every(isStamp)
    ? Object.fromEntries(stamps.map((stamp) => [stampSite(stamp), stamp]))
    : undefined;
}
