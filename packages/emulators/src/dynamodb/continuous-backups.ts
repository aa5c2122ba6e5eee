/**
 * Continuous backups: the setting is accepted, remembered and described. Nothing is backed up and nothing can be
 * restored here; deployment tools ask for it, and its description tells how far back a restore would reach.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
 */
import { type RequestData, type Store, tableOf } from './dynalite.ts';
import { codeOf, DynamoError, isRefusal, validationError } from './errors.ts';
import { readSettings, type TableSettings, writeSettings } from './table-settings.ts';

const PERIOD_DAYS_MAX = 35;
const DAY_SECONDS = 86_400;
/** The service is always some minutes behind. */
const RESTORE_DELAY_SECONDS = 300;

type Response = Record<string, unknown>;

export async function updateContinuousBackups(
  store: Store,
  input: RequestData,
  now: number,
): Promise<Response> {
  const name = await existingTable(store, input);
  const specification = input['PointInTimeRecoverySpecification'] as
    { PointInTimeRecoveryEnabled?: boolean; RecoveryPeriodInDays?: number } | undefined;
  if (specification?.PointInTimeRecoveryEnabled === undefined) {
    throw validationError('PointInTimeRecoverySpecification needs PointInTimeRecoveryEnabled');
  }
  const days = specification.RecoveryPeriodInDays ?? PERIOD_DAYS_MAX;
  if (!Number.isInteger(days) || days < 1 || days > PERIOD_DAYS_MAX) {
    throw validationError(`RecoveryPeriodInDays must be between 1 and ${PERIOD_DAYS_MAX}`);
  }
  const { pointInTimeRecovery, ...others } = await readSettings(store, name);
  const enabledAt = pointInTimeRecovery?.enabledAt ?? Math.floor(now / 1000);
  const settings: TableSettings = specification.PointInTimeRecoveryEnabled
    ? { ...others, pointInTimeRecovery: { recoveryPeriodInDays: days, enabledAt } }
    : others;
  await writeSettings(store, name, settings);
  return describe(settings, now);
}

export async function describeContinuousBackups(
  store: Store,
  input: RequestData,
  now: number,
): Promise<Response> {
  return describe(await readSettings(store, await existingTable(store, input)), now);
}

async function existingTable(store: Store, input: RequestData): Promise<string> {
  const name = String(input['TableName']);
  try {
    await tableOf(store, name, false);
    return name;
  } catch (error) {
    if (!isRefusal(error) || codeOf(error) !== 'ResourceNotFoundException') throw error;
    throw new DynamoError('TableNotFoundException', `Table not found: ${name}`);
  }
}

function describe({ pointInTimeRecovery }: TableSettings, now: number): Response {
  const seconds = Math.floor(now / 1000);
  const PointInTimeRecoveryDescription =
    pointInTimeRecovery === undefined
      ? { PointInTimeRecoveryStatus: 'DISABLED' }
      : {
          PointInTimeRecoveryStatus: 'ENABLED',
          RecoveryPeriodInDays: pointInTimeRecovery.recoveryPeriodInDays,
          EarliestRestorableDateTime: Math.max(
            pointInTimeRecovery.enabledAt,
            seconds - pointInTimeRecovery.recoveryPeriodInDays * DAY_SECONDS,
          ),
          LatestRestorableDateTime: Math.max(pointInTimeRecovery.enabledAt, seconds - RESTORE_DELAY_SECONDS),
        };
  return {
    ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription },
  };
}
