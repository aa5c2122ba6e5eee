import { expect, test } from '@jest/globals';
import { traceparentOf } from '../../src/shared/traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const VALID = `00-${TRACE}-${PARENT}-01`;

test.each([
  ['of version 00', VALID, VALID],
  ['with flags of later levels', `00-${TRACE}-${PARENT}-03`, `00-${TRACE}-${PARENT}-03`],
  ['of a later version', `cc-${TRACE}-${PARENT}-ff`, `00-${TRACE}-${PARENT}-01`],
  ['of a later version, with more', `cc-${TRACE}-${PARENT}-00-what-ever`, `00-${TRACE}-${PARENT}-00`],
])('a value %s is passed on as version 00', (_, header, wanted) => {
  expect(traceparentOf(header)).toBe(wanted);
});

test.each([
  ['absent', undefined],
  ['empty', ''],
  ['three of them', [VALID, VALID, VALID].join(',')],
  ['two of them', `${VALID}, ${VALID}`],
  ['of 200 characters', 'a'.repeat(200)],
  ['of version 00, with more', `${VALID}-more`],
  ['of a later version, longer without a dash', `cc-${TRACE}-${PARENT}-01x`],
  ['of the version that is none', `ff-${TRACE}-${PARENT}-01`],
  ['in capitals', VALID.toUpperCase()],
  ['without a trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['without a parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['with white space', ` ${VALID}`],
])('a value that is %s is none', (_, header) => {
  expect(traceparentOf(header)).toBeUndefined();
});
