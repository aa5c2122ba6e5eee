/**
 * The loop of CRC-64 as WebAssembly, which has numbers of 64 bits: seven times as fast as the same tables in JavaScript, where
 * each needs two. Assembled here from its instructions, so that what runs can be read.
 *
 * Invariant: the module has no imports and one memory of its own: tables, and behind them the bytes that are summed.
 * @see https://webassembly.github.io/spec/core/binary/
 */

/** Bytes that are looked up at a time, each in a table of its own. */
export const SLICES = 16;
const TABLE_BYTES = 256 * 8;
/** Behind the tables: where the bytes are put, and how many at a time. */
export const PIECE_AT = 0x10000;
export const PIECE_BYTES = 0x20000;
const PAGES = (PIECE_AT + PIECE_BYTES) / 0x10000;

export interface Crc64Code {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** @param crc Of what came before, inverted. @param from First byte in memory. @param end Behind the last one. */
  readonly sum: (crc: bigint, from: number, end: number) => bigint;
}

/** What is used of it; the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const I32 = 0x7f;
const I64 = 0x7e;
const NOTHING = 0x40;

const BLOCK = 0x02;
const LOOP = 0x03;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const GET = 0x20;
const SET = 0x21;
const LOAD_64 = 0x29;
const LOAD_BYTE = 0x2d;
const CONST_32 = 0x41;
const CONST_64 = 0x42;
const GREATER = 0x4b;
const AT_LEAST = 0x4f;
const ADD = 0x6a;
const AND = 0x71;
const LEFT = 0x74;
const XOR_32 = 0x73;
const XOR = 0x85;
const RIGHT_64 = 0x88;
const LOW_HALF = 0xa7;

/** Parameters, and two words of eight bytes. */
const [CRC, AT, LAST, FIRST_WORD, SECOND_WORD] = [0, 1, 2, 3, 4] as const;

/** LEB128, of what is not negative: also as a signed number, for which the sixth bit of the last byte is 0. */
function number(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x3f; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return [...bytes, left];
}

/** What the eight bytes of a word come to, of which the first has its value in this table, the second in that before it. */
function lookedUp(word: number, firstTable: number): number[] {
  return Array.from({ length: 8 }, (_, byte) => [
    ...(byte === 0
      ? [GET, word, LOW_HALF, CONST_32, 3, LEFT]
      : [GET, word, CONST_64, ...number(8 * byte - 3), RIGHT_64, LOW_HALF]),
    // The byte times eight, which is where its entry is.
    ...[CONST_32, ...number(0xff << 3), AND],
    ...[LOAD_64, 3, ...number((firstTable - byte) * TABLE_BYTES)],
    ...(byte === 0 ? [] : [XOR]),
  ]).flat();
}

const whileTrue = (untilTrue: readonly number[], body: readonly number[]): number[] => [
  ...[BLOCK, NOTHING, LOOP, NOTHING],
  ...[...untilTrue, BRANCH_IF, 1],
  ...[...body, BRANCH, 0],
  ...[END, END],
];

const advance = (bytes: number): number[] => [GET, AT, CONST_32, ...number(bytes), ADD, SET, AT];

/** As `Crc64Code` says. */
const SUM: readonly number[] = [
  ...whileTrue(
    [GET, AT, CONST_32, ...number(SLICES), ADD, GET, LAST, GREATER],
    [
      ...[GET, CRC, GET, AT, LOAD_64, 0, 0, XOR, SET, FIRST_WORD],
      ...[GET, AT, LOAD_64, 0, 8, SET, SECOND_WORD],
      ...[...lookedUp(FIRST_WORD, 15), ...lookedUp(SECOND_WORD, 7), XOR, SET, CRC],
      ...advance(SLICES),
    ],
  ),
  // What is left, byte by byte.
  ...whileTrue(
    [GET, AT, GET, LAST, AT_LEAST],
    [
      ...[GET, CRC, CONST_64, 8, RIGHT_64],
      ...[GET, CRC, LOW_HALF, GET, AT, LOAD_BYTE, 0, 0, XOR_32, CONST_32, ...number(0xff), AND],
      ...[CONST_32, 3, LEFT, LOAD_64, 3, 0, XOR, SET, CRC],
      ...advance(1),
    ],
  ),
  ...[GET, CRC],
];

const section = (id: number, body: readonly number[]): number[] => [id, ...number(body.length), ...body];

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const code = [1, 2, I64, ...SUM, END];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // Types: (i64, i32, i32) -> i64. Functions: one of it. Memory. Exports: memory `m`, function `s`. Code.
    ...section(1, [1, 0x60, 3, I64, I32, I32, 1, I64]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, 1, 0x6d, 2, 0, 1, 0x73, 0, 0]),
    ...section(10, [1, ...number(code.length), ...code]),
  ]);
}

/** @param tables Of each slice one: 256 values, one behind the other. */
export function crc64Code(tables: BigUint64Array): Crc64Code {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
  const { m: memory, s: sum } = exports as { m: Crc64Code['memory']; s: Crc64Code['sum'] };
  new BigUint64Array(memory.buffer).set(tables);
  return { memory, sum };
}
