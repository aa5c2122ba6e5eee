import { describe, expect, test } from '@jest/globals';
import { CosmosError } from '../../src/cosmos/errors.ts';
import { compileRowQuery, evaluateConstant, matchesCondition } from '../../src/cosmos/sql-engine.ts';
import { flattenConjunction } from '../../src/cosmos/sql-simplify.ts';

describe('flattenConjunction', () => {
  test.each([
    ['c.a = 1', 'c.a = 1'],
    ['((c.a = 1 AND (c.b = 2)) AND (true))', 'c.a = 1 AND c.b = 2'],
    ['(c.a = 1 OR c.b = 2) AND (true)', '(c.a = 1 OR c.b = 2)'],
    ['c.a = 1 OR (c.b = 2 AND c.c = 3)', 'c.a = 1 OR (c.b = 2 AND c.c = 3)'],
    ['(c.a BETWEEN 1 AND 2) AND c.b = 1', 'c.a BETWEEN 1 AND 2 AND c.b = 1'],
    ['(c.a + 1) * 2 = 4 AND (c.b) = 1', '(c.a + 1) * 2 = 4 AND (c.b) = 1'],
    ['NOT (c.a = 1 AND c.b = 2)', 'NOT (c.a = 1 AND c.b = 2)'],
    ['(NOT c.a) AND (c.b = "x AND (y")', '(NOT c.a) AND c.b = "x AND (y"'],
    ['(true)', 'true'],
  ])('turns %j into %j', (condition, flat) => {
    expect(flattenConjunction(condition)).toBe(flat);
  });

  test('keeps the meaning of a condition', () => {
    const conditions = [
      '((c.a = 1 OR c.b = 1) AND (c.b = 2 OR c.a = 2)) AND (true)',
      '(c.a = 1 AND c.b = 2) OR (c.a = 2 AND (c.b = 1))',
      'NOT ((c.a = 1) AND (c.b = 2)) AND (c.a BETWEEN 1 AND 2)',
    ];
    for (const condition of conditions) {
      for (const doc of [1, 2, 3].flatMap((a) => [1, 2, 3].map((b) => ({ a, b })))) {
        const original = compileRowQuery(`SELECT VALUE 1 FROM c WHERE ${condition}`).run(doc, {});
        const flat = compileRowQuery(`SELECT VALUE 1 FROM c WHERE ${flattenConjunction(condition)}`).run(
          doc,
          {},
        );
        expect({ condition, doc, rows: flat.length }).toEqual({ condition, doc, rows: original.length });
      }
    }
  });
});

describe('evaluateConstant', () => {
  test('builds literals, leaving out what has no value', () => {
    const expression = '{"a": @x, "b": [1, @none, {c: @x + 1}], "none": @none, \'d "q"\': {}}';
    expect(evaluateConstant(expression, { x: 1 })).toEqual({ a: 1, b: [1, { c: 2 }], 'd "q"': {} });
  });

  test('refuses a literal that is not one', () => {
    expect(() => evaluateConstant('{"a" 1}', {})).toThrow(CosmosError);
    expect(() => evaluateConstant('[1,,2]', {})).toThrow(CosmosError);
  });
});

describe('matchesCondition', () => {
  test('evaluates the form that a conditional patch uses', () => {
    expect(matchesCondition({ stock: 2 }, 'from c where c.stock > 1')).toBe(true);
    expect(matchesCondition({ stock: 1 }, 'FROM c WHERE c.stock > 1')).toBe(false);
    expect(() => matchesCondition({}, 'WHERE true')).toThrow(CosmosError);
  });
});

test('spatial functions, which are not installed, are refused by name', () => {
  const compile = () => compileRowQuery('SELECT * FROM c WHERE ST_DISTANCE(c.a, c.b) < 3');
  expect(compile).toThrow(CosmosError);
  expect(compile).toThrow('does not evaluate spatial functions');
  expect(
    compileRowQuery("SELECT * FROM c WHERE c.a = 'ST_DISTANCE('").run({ a: 'ST_DISTANCE(' }, {}),
  ).toHaveLength(1);
});
