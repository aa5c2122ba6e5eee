/** From the values of a record, as a policy writes them, to what goes on the wire. */
import net from 'node:net';
import type { RecordType } from '../model.ts';
import type { RecordData } from './message-writer.ts';

/** No NS: this server delegates to nobody. */
export const SERVED_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'SRV', 'TXT'] as const satisfies RecordType[];

const HOST =
  /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/;
const MX = /^(\d{1,5}) (\S+)$/;
const SRV = /^(\d{1,5}) (\d{1,5}) (\d{1,5}) (\S+)$/;
/** RFC 8659, section 4.1.1: `0 issue "ca.example.net"`. */
const CAA = /^(\d{1,3}) ([a-z0-9]{1,15}) "?([\x20\x21\x23-\x7e]*)"?$/;
const U16_MAX = 65_535;

/** The data that a value stands for; undefined when it is none of this type, or the type is not served. */
export function parseValue(type: RecordType, value: string): RecordData | undefined {
  switch (type) {
    case 'A':
      return net.isIPv4(value) ? { type, address: value } : undefined;
    case 'AAAA':
      return net.isIPv6(value) && isAddress(value) ? { type, address: value } : undefined;
    case 'CNAME':
      return withHost(value, (target) => ({ type, target }));
    case 'MX':
      return parseMx(value);
    case 'SRV':
      return parseSrv(value);
    case 'CAA':
      return parseCaa(value);
    case 'TXT':
      return { type, text: value };
    case 'NS':
      return undefined;
  }
}

/** An IPv6 address with a zone id (`%eth0`) means something on one machine only. */
export function isAddress(text: string): boolean {
  return net.isIP(text) !== 0 && !text.includes('%');
}

function withHost(text: string, make: (host: string) => RecordData): RecordData | undefined {
  return HOST.test(text) ? make(text.replace(/\.$/, '')) : undefined;
}

function parseMx(value: string): RecordData | undefined {
  const [, preference = '', host = ''] = MX.exec(value) ?? [];
  if (Number(preference) > U16_MAX) return undefined;
  return withHost(host, (target) => ({ type: 'MX', preference: Number(preference), target }));
}

function parseSrv(value: string): RecordData | undefined {
  const [, ...parts] = SRV.exec(value) ?? [];
  const [priority = 0, weight = 0, port = 0] = parts.slice(0, 3).map(Number);
  if (Math.max(priority, weight, port) > U16_MAX) return undefined;
  return withHost(parts[3] ?? '', (target) => ({ type: 'SRV', priority, weight, port, target }));
}

function parseCaa(value: string): RecordData | undefined {
  const [, flags, tag, text] = CAA.exec(value) ?? [];
  if (tag === undefined || text === undefined || Number(flags) > 255) return undefined;
  return { type: 'CAA', flags: Number(flags), tag, value: text };
}
