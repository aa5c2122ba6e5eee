/** From the values of a record, as a policy writes them, to what goes on the wire. */
import type { RecordType } from '@tandem-clouds/zone/model';
import { CAA, valueMistake } from '@tandem-clouds/zone/values';
import type { RecordData } from './message-writer.ts';

/** No NS: this server delegates to nobody. */
export const SERVED_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'SRV', 'TXT'] as const satisfies RecordType[];

/** The data that a value stands for; undefined when it is none of this type, or the type is not served. */
export function parseValue(type: RecordType, value: string): RecordData | undefined {
  return valueMistake(type, value) === undefined ? dataOf(type, value) : undefined;
}

function dataOf(type: RecordType, value: string): RecordData | undefined {
  const words = value.split(' ');
  const target = wireHost(words.at(-1) ?? '');
  const [first = 0, second = 0, third = 0] = words.slice(0, 3).map(Number);
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: value };
    case 'CNAME':
      return { type, target };
    case 'MX':
      return { type, preference: first, target };
    case 'SRV':
      return { type, priority: first, weight: second, port: third, target };
    case 'CAA': {
      const { flags = '', tag = '', value: text = '' } = CAA.exec(value)?.groups ?? {};
      return { type, flags: Number(flags), tag, value: text };
    }
    case 'TXT':
      return { type, text: value };
    case 'NS':
      return undefined;
  }
}

/** Without the final dot; empty for the root. */
function wireHost(host: string): string {
  return host.replace(/\.$/, '');
}
