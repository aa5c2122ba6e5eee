/**
 * Where things are in the database: dynalite prefixes every key with the name of its key space and a tilde, which
 * cannot occur in the name of a table or an index. The front keeps its own records under `tandem~`.
 */
import type { IndexType } from './dynalite.ts';

export const itemKey = (table: string, key: string): string => `item-${table}~${key}`;

export const indexKey = (type: IndexType, table: string, index: string, key: string): string =>
  `index-${type.toLowerCase()}~${table}~${index}~${key}`;

export const tableKey = (table: string): string => `table~${table}`;

export const settingsKey = (table: string): string => `tandem~table~${table}`;

export const tokenKey = (token: string): string => `tandem~token~${token}`;

/** Every key that begins with a prefix. */
export const rangeOf = (prefix: string): { gte: string; lt: string } => ({
  gte: prefix,
  lt: `${prefix}\u{10FFFF}`,
});
