/** Texts of TXT records as the providers write them: read in one pass, and only without a loss. */
import { describe, expect, it } from '@jest/globals';
import type { RecordResponse } from 'cloudflare/resources/dns/records';
import fc from 'fast-check';
import { fromRecords, toPosts } from '../../../dns/providers/cloudflare/dns-records.ts';
import { txtFrom, txtTo } from '../../../dns/providers/route53/text.ts';
import { textFrom } from '../../../dns/providers/text.ts';

const NAME = 'x.example.com';
const cloudflare = (content: string): string | undefined => {
  const { records } = fromRecords([{ name: NAME, type: 'TXT', ttl: 300, content } as RecordResponse]);
  return records[0]?.values[0];
};

describe('a text at Cloudflare', () => {
  it.each([
    ['"caf\\195\\169"', 'café'],
    ['"a\\\\065b"', 'a\\065b'],
    ['"a\\065b"', 'aAb'],
    ['"a\\"b" "c"', 'a"bc'],
    ['""', ''],
    ['bare words', 'bare words'],
    ['', ''],
    ['"\\239\\187\\191bom"', '\uFEFFbom'],
  ])('%j is %j', (content, text) => {
    expect(cloudflare(content)).toBe(text);
  });

  it.each(['"\\255\\254"', '"\\300"', '"\\19"', '"open', '"end\\', 'half\\065', 'half "quoted"'])(
    '%j has no text, and is left alone',
    (content) => {
      expect(cloudflare(content)).toBeUndefined();
    },
  );

  it('is written so that it is read again, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const [post] = toPosts({ kind: 'plain', name: NAME, type: 'TXT', ttlSeconds: 300, values: [text] });
        expect(cloudflare((post as { content: string }).content)).toBe(text);
      }),
    );
  });
});

describe('a text at Route 53', () => {
  it.each([
    ['"caf\\303\\251"', 'café'],
    ['"a\\\\101b"', 'a\\101b'],
    ['"a" "b"', 'ab'],
    ['""', ''],
  ])('%j is %j', (value, text) => {
    expect(txtFrom(value)).toBe(text);
  });

  it.each(['"\\377\\376"', '"\\400"', '"\\199"', '"open'])('%j has no text, and is left alone', (value) => {
    expect(txtFrom(value)).toBeUndefined();
  });

  it('is written so that it is read again, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        expect(txtFrom(txtTo(text))).toBe(text);
      }),
    );
  });
});

it('reading ends in a text or in none, whatever there is', () => {
  const piece = fc.constantFrom('"', '\\', '0', '65', '195', 'é', ' ', '\u0000', '\ud800');
  fc.assert(
    fc.property(fc.array(piece), fc.constantFrom<8 | 10>(8, 10), (pieces, base) => {
      const text = textFrom(pieces.join(''), base);
      expect(text === undefined || text.isWellFormed()).toBe(true);
    }),
  );
});
