/** Link addresses: `orders`, `orders/$DeadLetterQueue`, either of them with `/$management`, and `$cbs`. */

/** What an address names. */
export type Address =
  | { readonly kind: 'cbs' }
  | {
      readonly kind: 'queue' | 'management';
      readonly name: string;
      readonly deadLetters: boolean;
    };

const PATTERN = /^\/?(.+?)(\/\$deadletterqueue)?(\/\$management)?$/i;

/** Path that Azure gives the dead-letter queue of a queue. */
export const deadLetterPath = (name: string): string => `${name}/$DeadLetterQueue`;

/** Reads an address; undefined when it is empty. Case does not matter, as on Azure. */
export function parseAddress(address: string | null | undefined): Address | undefined {
  if (address === '$cbs') return { kind: 'cbs' };
  const match = PATTERN.exec(address ?? '');
  if (match?.[1] === undefined) return undefined;
  return {
    kind: match[3] === undefined ? 'queue' : 'management',
    name: match[1],
    deadLetters: match[2] !== undefined,
  };
}
