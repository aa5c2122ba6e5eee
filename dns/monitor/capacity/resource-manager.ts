/**
 * Azure Resource Manager, as far as capacity needs it: one resource is read or written. What takes longer there goes on by
 * itself; it is not waited for.
 * @see https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 */
import { ProviderError, type ProviderFault } from '../../errors.ts';
import type { Clock } from '../../provider.ts';
import { type Failure, withRetry } from '../../retry.ts';

/** Far below a subscription's: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling */
const PACE = { burst: 10, perSecond: 5 } as const;
const ANSWER_WITHIN_MS = 5_000;
const ENDPOINT = 'https://management.azure.com';

export interface ManagerOptions {
  readonly clock: Clock;
  /** For Resource Manager. @throws what the identity throws */
  readonly token: () => Promise<string>;
  readonly endpoint?: string;
}

export interface ResourceManager {
  /** @throws ProviderError. @param id `/subscriptions/…` @param version Of the provider's API. */
  call<T>(method: 'GET' | 'PATCH' | 'PUT', id: string, version: string, body?: unknown): Promise<T>;
}

export function resourceManager({ clock, token, endpoint = ENDPOINT }: ManagerOptions): ResourceManager {
  const query = withRetry({ clock, pace: PACE, understand });
  return {
    call: (method, id, version, body) =>
      query(async () => {
        const bearer = await token().catch((cause: unknown) => {
          throw new Refusal(401, 'there is no identity that has a token', undefined, { cause });
        });
        const response = await fetch(`${endpoint}${id}?api-version=${version}`, {
          method,
          headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        });
        const answer = (await response.json().catch(() => ({}))) as { error?: ArmError };
        if (!response.ok) {
          const { code = '', message = '' } = answer.error ?? {};
          const wait = response.headers.get('retry-after') ?? undefined;
          throw new Refusal(response.status, [code, message].filter(Boolean).join(': '), wait);
        }
        return answer as never;
      }),
  };
}

interface ArmError {
  readonly code?: string;
  readonly message?: string;
}

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly retryAfter: string | undefined;

  constructor(status: number, message: string, retryAfter?: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const MEANING: Readonly<Record<ProviderFault, string>> = {
  credentials: 'the identity at Azure is missing or not allowed to do this',
  limit: 'a limit of the subscription is reached',
  'not-found': 'Azure does not know it',
  rejected: 'Azure refused the request',
  throttled: 'Azure is still throttling after many tries',
  unavailable: 'Azure does not answer',
};

function understand(cause: unknown): Failure {
  const isRefusal = cause instanceof Refusal;
  const fault = isRefusal ? faultOf(cause.status) : 'unavailable';
  const detail = isRefusal ? `HTTP ${cause.status} ${cause.message}`.trim() : String(cause);
  const error = new ProviderError(fault, `${MEANING[fault]} (${detail})`, { cause });
  const seconds = isRefusal ? Number(cause.retryAfter ?? NaN) : NaN;
  return { error, ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1_000 }) };
}

function faultOf(status: number): ProviderFault {
  if (status === 401 || status === 403) return 'credentials';
  if (status === 404) return 'not-found';
  // 409 and 423: another operation is under way there.
  if (status === 409 || status === 423 || status === 429) return 'throttled';
  return status >= 500 ? 'unavailable' : 'rejected';
}
