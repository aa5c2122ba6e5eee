/**
 * Provisioned concurrency of functions, at the alias that the feature `warm` makes. A function without it has none: there
 * is no provisioned concurrency of $LATEST.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
 */
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  type LambdaClientConfig,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { understandAws } from '../../aws-failure.ts';
import { ProviderError } from '../../errors.ts';
import type { Clock } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import type { Part, Scaler } from './level.ts';

/** Below the 15 requests a second of the control plane: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const PACE = { burst: 10, perSecond: 10 } as const;
/** Kept for functions without any: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const UNRESERVED_MIN = 100;
const MB_PER_GB = 1_024;

export interface LambdaPlace {
  readonly region: string;
  readonly functions: readonly string[];
  readonly alias: string;
}

export interface LambdaOptions {
  readonly clock: Clock;
  readonly place: LambdaPlace;
  /** Of the client: where an emulator is. */
  readonly config?: LambdaClientConfig;
}

export function provisionedConcurrency({ clock, place, config }: LambdaOptions): Scaler {
  const client = new LambdaClient({ region: place.region, ...config, maxAttempts: 1 });
  const understand = understandAws({ service: 'Lambda', missing: 'Lambda does not know it' });
  const query = withRetry({ clock, pace: PACE, understand });
  const Qualifier = place.alias;
  const partOf = async (name: string): Promise<Part | undefined> => {
    const of = { FunctionName: name, Qualifier };
    const found = await orMissing(query(() => client.send(new GetFunctionConfigurationCommand(of))));
    if (found === undefined) return undefined;
    const now = await orMissing(query(() => client.send(new GetProvisionedConcurrencyConfigCommand(of))));
    const times = (found.MemorySize ?? 0) / MB_PER_GB;
    return {
      name,
      level: now?.RequestedProvisionedConcurrentExecutions ?? 0,
      price: { of: 'lambdaGbHour', times },
    };
  };
  return {
    field: 'provisionedConcurrency',
    async read() {
      const parts = await Promise.all(place.functions.map(partOf));
      return parts.filter((part) => part !== undefined);
    },
    async mistakes(parts, to) {
      const more = parts.reduce((sum, { level }) => sum + to - level, 0);
      const { AccountLimit } = await query(() => client.send(new GetAccountSettingsCommand({})));
      const left = (AccountLimit?.UnreservedConcurrentExecutions ?? 0) - UNRESERVED_MIN;
      if (more <= left) return [];
      const need = `${parts.length} functions at ${to} need ${more} more`;
      return [
        `provisionedConcurrency: ${need}, and the account has ${Math.max(0, left)} beside the ${UNRESERVED_MIN} that stay unreserved (maximum)`,
      ];
    },
    async set(name, level) {
      const of = { FunctionName: name, Qualifier };
      if (level === 0)
        await orMissing(query(() => client.send(new DeleteProvisionedConcurrencyConfigCommand(of))));
      else {
        const put = { ...of, ProvisionedConcurrentExecutions: level };
        await query(() => client.send(new PutProvisionedConcurrencyConfigCommand(put)));
      }
    },
  };
}

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProviderError && error.fault === 'not-found') return undefined;
    throw error;
  }
}
