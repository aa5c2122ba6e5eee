import { describe, expect, test } from '@jest/globals';
import { CosmosError } from '../../src/cosmos/errors.ts';
import { buildQueryPlan, type QueryInfo } from '../../src/cosmos/query-plan.ts';
import { splitQuery } from '../../src/cosmos/sql-text.ts';

const planOf = (query: string, values: Record<string, unknown> = {}): QueryInfo =>
  buildQueryPlan({
    query,
    parameters: Object.entries(values).map(([name, value]) => ({ name: `@${name}`, value })),
  }).queryInfo;

describe('buildQueryPlan', () => {
  test('leaves a query alone that every partition can answer on its own', () => {
    expect(planOf('SELECT c.id FROM c WHERE c.n > 1')).toMatchObject({
      rewrittenQuery: '',
      distinctType: 'None',
      orderBy: [],
      aggregates: [],
      top: null,
      offset: null,
      limit: null,
    });
  });

  test('has an ordered query return its keys, and fetch no more than offset and limit from a partition', () => {
    const query =
      'SELECT c.id, c.p_at AS at FROM c WHERE c.l = @type OR c.x ORDER BY c.id DESC OFFSET @o LIMIT @n';
    expect(planOf(query, { type: 't', o: 2, n: 5 })).toMatchObject({
      orderBy: ['Descending'],
      orderByExpressions: ['c.id'],
      offset: 2,
      limit: 5,
      rewrittenQuery:
        'SELECT c._rid, [{"item": c.id}] AS orderByItems, {"id": c.id, "at": c.p_at} AS payload FROM c ' +
        'WHERE (c.l = @type OR c.x) AND ({documentdb-formattableorderbyquery-filter}) ORDER BY c.id DESC OFFSET 0 LIMIT 7',
    });
  });

  test('keeps TOP, and several orders', () => {
    expect(planOf('SELECT TOP 3 * FROM root r ORDER BY r.a, r["b c"] DESC')).toMatchObject({
      top: 3,
      orderBy: ['Ascending', 'Descending'],
      orderByExpressions: ['r.a', 'r["b c"]'],
      rewrittenQuery:
        'SELECT TOP 3 r._rid, [{"item": r.a}, {"item": r["b c"]}] AS orderByItems, r AS payload FROM root r ' +
        'WHERE {documentdb-formattableorderbyquery-filter} ORDER BY r.a ASC, r["b c"] DESC',
    });
  });

  test.each<[string, string, string]>([
    ['COUNT(1)', 'Count', '{"item": COUNT(1)}'],
    ['SUM(c.n)', 'Sum', '{"item": SUM(c.n)}'],
    ['MIN(c.n)', 'Min', '{"item": MIN(c.n), "item2": {"min": MIN(c.n), "count": COUNT(c.n)}}'],
    ['max(c.n)', 'Max', '{"item": MAX(c.n), "item2": {"max": MAX(c.n), "count": COUNT(c.n)}}'],
    ['AVG(c.n)', 'Average', '{"item": {"sum": SUM(c.n), "count": COUNT(c.n)}}'],
  ])('asks for the partial result of %s', (call, type, partial) => {
    const info = planOf(`SELECT VALUE ${call} FROM c WHERE c.n > 0`);
    expect(info).toMatchObject({ aggregates: [type], hasSelectValue: true });
    expect(info.rewrittenQuery).toBe(`SELECT VALUE [${partial}] FROM c WHERE c.n > 0`);
  });

  test('maps named aggregates to their types', () => {
    expect(planOf('SELECT COUNT(1) AS n, MAX(c.n) FROM c')).toMatchObject({
      aggregates: [],
      hasSelectValue: false,
      groupByAliasToAggregateType: { n: 'Count', $1: 'Max' },
    });
  });

  test.each([
    ['SELECT DISTINCT c.a FROM c', 'Unordered'],
    ['SELECT DISTINCT c.a FROM c ORDER BY c.a', 'Ordered'],
    ['SELECT DISTINCT c.a, c.b FROM c ORDER BY c.a', 'Unordered'],
  ])('finds out whether equal results of %j are neighbours', (query, distinctType) => {
    expect(planOf(query).distinctType).toBe(distinctType);
  });

  test('does not let a partition stop at the limit of a DISTINCT query', () => {
    expect(planOf('SELECT DISTINCT VALUE c.a FROM c OFFSET 0 LIMIT 2').rewrittenQuery).toBe(
      'SELECT DISTINCT VALUE c.a FROM c',
    );
  });

  test.each([
    'SELECT VALUE COUNT(1) + 1 FROM c',
    'SELECT c.id, COUNT(1) FROM c',
    'SELECT c.a FROM c GROUP BY c.a',
    'SELECT * FROM c OFFSET 1',
    'SELECT * FROM c ORDER BY c.a + 1',
    'SELECT * FROM c JOIN t IN c.tags',
    'SELECT TOP -1 * FROM c',
    'SELECT FROM c',
    'FROM c',
  ])('refuses %j', (query) => {
    expect(() => planOf(query)).toThrow(CosmosError);
  });
});

describe('splitQuery', () => {
  test('takes no keyword from strings, brackets, comments or property names', () => {
    const text = `SELECT c["ORDER BY"] AS x, 'it''s WHERE' -- LIMIT 1
      FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = "OFFSET") ORDER BY c.top`;
    expect(splitQuery(text)).toMatchObject({
      from: 'c',
      where: 'EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = "OFFSET")',
      orderBy: [{ text: 'c.top', descending: false }],
      limit: undefined,
      offset: undefined,
    });
  });
});
