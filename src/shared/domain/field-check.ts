import type { Json } from '@tandem-clouds/replication/json';
import type { Failure } from '../errors.ts';

/** Every rule that fields break, as they would be stored: field → value. */
export type FieldCheck = (fields: Readonly<Record<string, Json>>) => readonly Failure[];
