import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
// The AWS SDK's code for it is behind this.
import { digestOf } from '@tandem-clouds/emulators/core/digests';
import { Crc64, crc64Of, joinedCrc64, littleEndian } from '../../src/shared/crc64.ts';

const hex = (crc64: string): string => Buffer.from(crc64, 'base64').toString('hex');

test('is the CRC-64/NVME of the catalogue', () => {
  // https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-64-nvme
  expect(hex(crc64Of(Buffer.from('123456789')))).toBe('ae8b14860a799888');
  expect(crc64Of(Buffer.alloc(0))).toBe('AAAAAAAAAAA=');
  expect(littleEndian(crc64Of(Buffer.from('123456789'))).toString('hex')).toBe('8898790a86148bae');
});

test('is that of the AWS SDK, in pieces of any length, and joined from those of the parts', async () => {
  const bytes = randomBytes(10_001);
  const expected = (await digestOf('crc64nvme', bytes)).toString('base64');
  expect(crc64Of(bytes)).toBe(expected);
  for (const cut of [0, 1, 7, 8, 9, 4_096, 10_001]) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    const running = new Crc64();
    for (const piece of pieces) running.update(piece);
    expect(running.digest()).toBe(expected);
    const parts = pieces.map((piece) => ({ bytes: piece.length, crc64: crc64Of(piece) }));
    expect(joinedCrc64(parts)).toBe(expected);
  }
});
