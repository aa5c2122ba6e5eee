/**
 * Splits a query's text into its clauses.
 *
 * The SQL engine knows neither DISTINCT nor OFFSET/LIMIT, and evaluates ordering and aggregates over whole arrays; so
 * clauses are told apart here, `query.ts` does what concerns many rows, and the engine is left with expressions over
 * one item. Grammar: https://learn.microsoft.com/azure/cosmos-db/nosql/query/select
 */
import { badRequest } from './errors.ts';

export interface Token {
  readonly kind: 'word' | 'parameter' | 'number' | 'string' | 'symbol';
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How many brackets of any kind are open around it. */
  readonly depth: number;
}

export interface OrderTerm {
  /** A property path such as `c.p_at`. */
  readonly text: string;
  readonly descending: boolean;
}

export interface Aggregate {
  readonly name: 'COUNT' | 'SUM' | 'MIN' | 'MAX' | 'AVG';
  /** The text between its brackets. */
  readonly argument: string;
  /** Where it is in `QueryText.select`. */
  readonly start: number;
  readonly end: number;
}

export interface Column {
  readonly name: string;
  readonly text: string;
}

export interface QueryText {
  readonly distinct: boolean;
  /** A number or a parameter name. */
  readonly top: string | undefined;
  /** `SELECT VALUE`. */
  readonly value: boolean;
  /** What follows SELECT and its modifiers; `*` alone selects the item. */
  readonly select: string;
  /** The select list, when it is one. */
  readonly columns: readonly Column[];
  readonly aggregates: readonly Aggregate[];
  readonly from: string | undefined;
  /** Name that the item goes by; undefined when FROM iterates over a part of the item. */
  readonly alias: string | undefined;
  readonly joined: boolean;
  readonly where: string | undefined;
  readonly orderBy: readonly OrderTerm[];
  readonly offset: string | undefined;
  readonly limit: string | undefined;
}

const TOKEN =
  /(--[^\n]*)|([A-Za-z_][A-Za-z0-9_]*)|(@[A-Za-z0-9_]+)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\S)/gs;
const KINDS = ['word', 'parameter', 'number', 'string', 'symbol'] as const;
const CLAUSES = ['SELECT', 'FROM', 'WHERE', 'GROUP', 'ORDER', 'OFFSET', 'LIMIT'] as const;
const AGGREGATES = new Set(['COUNT', 'SUM', 'MIN', 'MAX', 'AVG']);

/** Splits text into tokens; comments and blanks between them are dropped. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  for (const match of text.matchAll(TOKEN)) {
    const groups: (string | undefined)[] = match.slice(2);
    const kind = KINDS[groups.findIndex((group) => group !== undefined)];
    if (kind === undefined) continue;
    const part = match[0];
    if (kind === 'symbol' && ')]}'.includes(part)) depth -= 1;
    tokens.push({ kind, text: part, start: match.index, end: match.index + part.length, depth });
    if (kind === 'symbol' && '([{'.includes(part)) depth += 1;
  }
  return tokens;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

type ClauseName = (typeof CLAUSES)[number];

/** @throws CosmosError 400 for text that has no SELECT, repeats a clause, or groups. */
export function splitQuery(text: string): QueryText {
  const clauses = clauseTokens(text);
  const slice = (tokens: readonly Token[] | undefined): string | undefined => {
    const [first, last] = [tokens?.[0], tokens?.at(-1)];
    return first === undefined || last === undefined ? undefined : text.slice(first.start, last.end);
  };
  if (clauses.has('GROUP')) throw badRequest('GROUP BY is not supported by this emulator.');
  const select = [...(clauses.get('SELECT') ?? [])];
  const distinct = isWord(select[0], 'DISTINCT') && select.shift() !== undefined;
  const top = isWord(select[0], 'TOP') ? select.splice(0, 2)[1]?.text : undefined;
  const value = isWord(select[0], 'VALUE') && select.shift() !== undefined;
  const selectText = slice(select);
  if (selectText === undefined) throw badRequest('Syntax error, SELECT lists nothing.');
  const from = clauses.get('FROM');
  return {
    distinct,
    top,
    value,
    select: selectText,
    columns: value || selectText === '*' ? [] : columnsOf(text, select),
    aggregates: aggregatesOf(text, select),
    from: slice(from),
    alias: from === undefined ? undefined : aliasOf(from),
    joined: from?.some((token) => isWord(token, 'JOIN')) ?? false,
    where: slice(clauses.get('WHERE')),
    orderBy: orderTerms(text, clauses.get('ORDER')),
    offset: slice(clauses.get('OFFSET')),
    limit: slice(clauses.get('LIMIT')),
  };
}

/** The tokens of each clause, without the keyword that opens it. */
function clauseTokens(text: string): Map<ClauseName, Token[]> {
  const clauses = new Map<ClauseName, Token[]>();
  let current: Token[] | undefined;
  let previous: Token | undefined;
  for (const token of tokenize(text)) {
    const name = CLAUSES.find((clause) => isWord(token, clause));
    if (name !== undefined && token.depth === 0 && previous?.text !== '.') {
      if (clauses.has(name)) throw badRequest(`Syntax error, incorrect syntax near '${token.text}'.`);
      clauses.set(name, (current = []));
    } else if (current === undefined) {
      throw badRequest(`Syntax error, incorrect syntax near '${token.text}'.`);
    } else {
      current.push(token);
    }
    previous = token;
  }
  if (!clauses.has('SELECT')) throw badRequest('Syntax error, a query begins with SELECT.');
  return clauses;
}

function splitAtCommas(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.text === ',' && token.depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function columnsOf(text: string, select: readonly Token[]): Column[] {
  let unnamed = 0;
  return splitAtCommas(select).map((tokens) => {
    const [first, last] = [tokens[0], tokens.at(-1)];
    if (first === undefined || last === undefined)
      throw badRequest('Syntax error, SELECT lists nothing between commas.');
    const as = tokens.findLastIndex((token) => token.depth === 0 && isWord(token, 'AS'));
    if (as > 0) return { name: last.text, text: text.slice(first.start, tokens[as - 1]?.end) };
    const column = text.slice(first.start, last.end);
    const path = pathOf(column);
    const name = path?.at(-1) ?? `$${(unnamed += 1)}`;
    return { name, text: column };
  });
}

function aggregatesOf(text: string, select: readonly Token[]): Aggregate[] {
  const base = select[0]?.start ?? 0;
  return select.flatMap((token, i) => {
    const name = token.text.toUpperCase();
    const open = select[i + 1];
    if (token.kind !== 'word' || !AGGREGATES.has(name) || open?.text !== '(' || select[i - 1]?.text === '.')
      return [];
    const close = select.find(
      (other) => other.start > open.start && other.text === ')' && other.depth === open.depth,
    );
    if (close === undefined) throw badRequest(`Syntax error, '${token.text}' has no closing bracket.`);
    const argument = text.slice(open.end, close.start).trim();
    return [{ name: name as Aggregate['name'], argument, start: token.start - base, end: close.end - base }];
  });
}

/** `FROM c`, `FROM root c` and `FROM root AS c` name the item; `FROM t IN c.tags` and `FROM c.part` do not. */
function aliasOf(from: readonly Token[]): string | undefined {
  const join = from.findIndex((token) => isWord(token, 'JOIN'));
  const source = (join < 0 ? from : from.slice(0, join)).filter((token) => !isWord(token, 'AS'));
  if (source.length === 0 || source.length > 2 || source.some((token) => token.kind !== 'word'))
    return undefined;
  return source.at(-1)?.text;
}

function orderTerms(text: string, order: readonly Token[] | undefined): OrderTerm[] {
  if (order === undefined) return [];
  if (!isWord(order[0], 'BY')) throw badRequest('Syntax error, ORDER without BY.');
  return splitAtCommas(order.slice(1)).map((tokens) => {
    const direction = ['ASC', 'DESC'].find((word) => isWord(tokens.at(-1), word));
    const path = direction === undefined ? tokens : tokens.slice(0, -1);
    const term = text.slice(path[0]?.start ?? 0, path.at(-1)?.end ?? 0);
    if ((pathOf(term)?.length ?? 0) < 2) {
      throw badRequest(
        'Unsupported ORDER BY clause. ORDER BY item expression could not be mapped to a document path.',
      );
    }
    return { text: term, descending: direction === 'DESC' };
  });
}

/** `c.a["b"]` as `['c', 'a', 'b']`; undefined for any other expression. */
export function pathOf(expression: string): string[] | undefined {
  const names: string[] = [];
  const tokens = tokenize(expression);
  const [root, ...rest] = tokens;
  if (root?.kind !== 'word') return undefined;
  names.push(root.text);
  while (rest.length > 0) {
    const [first, second] = [rest.shift(), rest.shift()];
    if (first?.text === '.' && second?.kind === 'word') names.push(second.text);
    else if (first?.text === '[' && second?.kind === 'string' && rest.shift()?.text === ']') {
      names.push(second.text.slice(1, -1));
    } else return undefined;
  }
  return names;
}
