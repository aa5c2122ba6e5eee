/**
 * What a value of each record type looks like, as a policy writes it: presentation format (RFC 1035, 5.1), but a text of
 * TXT as it is. The rules of a policy, the DNS server and whoever reads a live zone all ask here.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { RecordType } from './model.ts';

/** RFC 1035, section 2.3.4, without the final dot and the length bytes around it. */
const NAME_CHARACTERS_MAX = 253;
const U16_MAX = 65_535;
const U8_MAX = 255;

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i');
/** A last label like this makes an IPv4 address of the name: https://url.spec.whatwg.org/#ends-in-a-number-checker */
const ENDS_IN_A_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;

/** Of RFC 8659, section 4.1.1; a value with quotes or backslashes inside has several spellings and is left out. */
export const CAA = /^(?<flags>\d{1,3}) (?<tag>[a-z0-9]{1,255}) "(?<value>[\x20\x21\x23-\x5b\x5d-\x7e]*)"$/i;

/** A name that something can be found under, with or without its final dot. */
export function isHost(text: string): boolean {
  const name = text.replace(/\.$/, '');
  return name.length <= NAME_CHARACTERS_MAX && NAME.test(name) && !ENDS_IN_A_NUMBER.test(name);
}

/** An IPv6 address with a zone id (`%eth0`) means something on one machine only. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'));
}

/** What is wrong with a value of this type, and what would be right; undefined when nothing is. */
export function valueMistake(type: RecordType, value: string): string | undefined {
  switch (type) {
    case 'A':
      return isIPv4(value) ? undefined : 'A needs an IPv4 address';
    case 'AAAA':
      return isIPv6(value) && isAddress(value) ? undefined : 'AAAA needs an IPv6 address, without a zone id';
    case 'CNAME':
    case 'NS':
      return hostMistake(type, value);
    case 'MX':
      return numbersAndHost('MX', '<preference> <host>', value, 1);
    case 'SRV':
      return numbersAndHost('SRV', '<priority> <weight> <port> <host>', value, 3);
    case 'CAA': {
      const { flags } = CAA.exec(value)?.groups ?? {};
      if (flags === undefined)
        return 'CAA needs <flags> <tag> "<value>", without quotes or backslashes in the value';
      return Number(flags) <= U8_MAX ? undefined : `CAA has flags from 0 to ${U8_MAX}, not ${flags}`;
    }
    case 'TXT':
      return value.isWellFormed() ? undefined : 'TXT needs characters, and half of a surrogate pair is none';
  }
}

function hostMistake(type: RecordType, host: string): string | undefined {
  if (isAddress(host)) return `${type} needs a host name, and ${host} is an address; use the type A or AAAA`;
  return isHost(host) ? undefined : `${type} needs a host name, and '${host}' is none`;
}

/** `.` as the host says that there is none (RFC 7505, section 3; RFC 2782). */
function numbersAndHost(type: RecordType, form: string, value: string, numbers: number): string | undefined {
  const parts = value.split(' ');
  const [host = ''] = parts.splice(numbers, 1);
  if (host === '' || parts.length !== numbers || !parts.every((part) => /^\d{1,5}$/.test(part)))
    return `${type} needs ${form}`;
  const large = parts.find((part) => Number(part) > U16_MAX);
  if (large !== undefined) return `${type} has numbers from 0 to ${U16_MAX}, not ${large}`;
  return host === '.' ? undefined : hostMistake(type, host);
}

/** What is wrong with the values of one record together. */
export function valuesMistake(type: RecordType, values: readonly string[]): string | undefined {
  if (type === 'CNAME' && values.length > 1) return 'there can be one value only for a CNAME';
  if (type === 'MX' && values.length > 1 && values.some((value) => value.endsWith(' .'))) {
    return 'an MX that says there is no mail stands alone (RFC 7505, section 3)';
  }
  return undefined;
}
