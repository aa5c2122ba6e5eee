/**
 * What the front remembers about a table beside dynalite's own record: the fields of `CreateTable` that dynalite does
 * not know, time to live and continuous backups. They are in the same database, so they survive what the items survive.
 */
import { promised, type Store } from './dynalite.ts';
import { settingsKey } from './storage-keys.ts';

export interface TableSettings {
  /** Attribute with the expiry in epoch seconds, while time to live is enabled. */
  readonly ttlAttribute?: string;
  readonly pointInTimeRecovery?: {
    readonly recoveryPeriodInDays: number;
    /** Epoch seconds. */
    readonly enabledAt: number;
  };
  readonly encryption?: {
    readonly Enabled?: boolean;
    readonly SSEType?: string;
    readonly KMSMasterKeyId?: string;
  };
  readonly isDeletionProtected?: boolean;
  readonly tableClass?: string;
  readonly onDemandThroughput?: Readonly<Record<string, number>>;
}

/** The members of CreateTable and UpdateTable that dynalite drops. */
export interface NewerTableFields {
  readonly SSESpecification?: TableSettings['encryption'];
  readonly DeletionProtectionEnabled?: boolean;
  readonly TableClass?: string;
  readonly OnDemandThroughput?: Readonly<Record<string, number>>;
}

const TABLE_CLASSES = ['STANDARD', 'STANDARD_INFREQUENT_ACCESS'];

export async function readSettings(store: Store, table: string): Promise<TableSettings> {
  const found = await promised<unknown>((callback) => store.db.get(settingsKey(table), callback));
  return found ?? {};
}

export async function writeSettings(store: Store, table: string, settings: TableSettings): Promise<void> {
  await promised<unknown>((callback) => store.db.put(settingsKey(table), settings, callback));
}

export async function deleteSettings(store: Store, table: string): Promise<void> {
  await promised<unknown>((callback) => store.db.batch([{ type: 'del', key: settingsKey(table) }], callback));
}

/** Settings with the newer fields of a request taken over; fields that the request leaves out stay. */
export function withNewerFields(settings: TableSettings, fields: NewerTableFields): TableSettings {
  return {
    ...settings,
    ...(fields.SSESpecification !== undefined && { encryption: fields.SSESpecification }),
    ...(fields.DeletionProtectionEnabled !== undefined && {
      isDeletionProtected: fields.DeletionProtectionEnabled,
    }),
    ...(fields.TableClass !== undefined && { tableClass: fields.TableClass }),
    ...(fields.OnDemandThroughput !== undefined && { onDemandThroughput: fields.OnDemandThroughput }),
  };
}

/** Says what is wrong with the newer fields, or nothing. */
export function problemWith(fields: NewerTableFields): string | undefined {
  if (fields.TableClass === undefined || TABLE_CLASSES.includes(fields.TableClass)) return undefined;
  return `1 validation error detected: Value '${fields.TableClass}' at 'tableClass' failed to satisfy constraint: Member must satisfy enum value set: [${TABLE_CLASSES.join(', ')}]`;
}

/** The members of a table description that come from the settings. */
export function describeSettings(settings: TableSettings): Record<string, unknown> {
  const { encryption, tableClass, onDemandThroughput } = settings;
  return {
    DeletionProtectionEnabled: settings.isDeletionProtected ?? false,
    ...(encryption?.Enabled === true && {
      SSEDescription: { Status: 'ENABLED', SSEType: encryption.SSEType ?? 'KMS' },
    }),
    ...(tableClass !== undefined && { TableClassSummary: { TableClass: tableClass } }),
    ...(onDemandThroughput !== undefined && { OnDemandThroughput: onDemandThroughput }),
  };
}
