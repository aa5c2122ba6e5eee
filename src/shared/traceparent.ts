/** The trace that a request belongs to (W3C Trace Context, section 3.2). */

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const VERSION = '00';
/** `sampled`: the one flag that every version has. */
const SAMPLED = 1;

/**
 * The header as version 00 writes it, which is the version that this product speaks; undefined when it is not one valid
 * value. A trace begins anew then: nothing is refused for it (section 3.2.2.3).
 */
export function traceparentOf(header: string | undefined): string | undefined {
  const [, version, traceId, parentId, flags = '', rest] = TRACEPARENT.exec(header ?? '') ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return undefined;
  if (version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  if (version === VERSION) return rest === undefined ? header : undefined;
  const known = (Number.parseInt(flags, 16) & SAMPLED).toString().padStart(2, '0');
  return `${VERSION}-${traceId}-${parentId}-${known}`;
}
