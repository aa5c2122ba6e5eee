/** Calls the routes that are only for operators, and turns what goes wrong into a sentence that says what to do. */
import type { WriterView } from '../../../src/shared/http/operations/writers.ts';
import type { ConflictPage, ConflictView } from '../../../src/shared/operations/conflict-service.ts';
import type { Causes, Settled } from '../../../src/shared/operations/dead-letter-service.ts';
import type { PendingView } from '../../../src/shared/operations/pending-view.ts';
import type {
  ErasureView,
  PersonPage,
  PersonRecord as PersonRecordView,
} from '../../../src/shared/operations/person-service.ts';
import type { InventoryView } from '../../../src/shared/operations/replication-view.ts';
import type { RestoreRequest, RestoreView } from '../../../src/shared/operations/restore-service.ts';
import type { QueueDepths } from '../../../src/shared/ports/dead-letter-box.ts';
import type { Finding } from '../../../src/shared/ports/probe.ts';
import { explain } from './get-json.ts';
import { type Target, TargetError } from './targets.ts';

/** Longer than API Gateway waits for a function. */
const RESPONSE_WITHIN_MS = 30_000;

/** `GET /replication/pauses` of one peer, and what ends a pause. */
export interface PauseView {
  readonly peer: string;
  readonly paused: boolean;
  readonly since?: string;
  readonly sent?: { readonly keys: number; readonly complete: boolean; readonly problem?: string };
}

export type { ConflictView, PersonRecordView };

/** What one side of a comparison had that the other lacked. */
export interface SideView {
  readonly counted?: number;
  readonly checked: number;
  readonly differing: number;
  readonly repaired: number;
  readonly examples: readonly string[];
}

export interface VerificationView {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly repair: boolean;
  readonly entity?: string;
  readonly begunAt: string;
  readonly ended: boolean;
  readonly endedAt?: string;
  readonly lastCleanAt?: string;
  readonly sides: Readonly<Record<string, SideView>>;
}

export type CausesView = Causes & { readonly now: string };
export type SettledView = Settled & { readonly dryRun: boolean };

export interface DeadLetterView {
  readonly id: string;
  readonly source: string;
  readonly reason: string;
  readonly detail: string;
  readonly body: string;
  readonly at: string;
}

export interface ReactionPauseView {
  readonly reaction: string;
  readonly paused: boolean;
  readonly since?: string;
}

export interface ReactionEntryView {
  readonly key: string;
  readonly reaction: string;
  readonly effectId?: string;
  readonly due?: string;
  readonly attempts: number;
  readonly parked?: string;
  readonly since?: string;
  readonly detail?: string;
  readonly done?: string;
}

export interface KeysView {
  readonly keys: number;
  readonly atLeast: boolean;
}

export interface ReactionsView {
  readonly site: string;
  readonly waiting: KeysView;
  readonly parked: KeysView;
  readonly reactions: readonly ReactionPauseView[];
  readonly entries: readonly ReactionEntryView[];
}

export interface RecordReactionsView {
  readonly site: string;
  readonly key: string;
  readonly conditions: readonly {
    readonly reaction: string;
    readonly effectId: string;
    readonly origin: string;
    readonly site: string;
  }[];
  readonly entries: readonly ReactionEntryView[];
}

export interface ReactionScanView {
  readonly site: string;
  readonly scanned: number;
  readonly set: number;
  readonly unusable: readonly string[];
  readonly next?: string;
}

/** An inventory, with some of what it has found. */
export interface ContentInventoryView extends InventoryView {
  readonly id: string;
  readonly site: string;
  readonly examples: readonly string[];
}

/** What a site knows of the content of one record. */
export interface RecordContentView {
  readonly site: string;
  readonly key: string;
  readonly exists: boolean;
  readonly content?: {
    readonly upload: string;
    readonly bytes: number;
    readonly crc64: string;
    readonly contentType: string;
    readonly completedAt: string;
    readonly heldBy: readonly string[];
    readonly lackedBy: readonly string[];
    readonly dueBy: string;
  };
  readonly fetching?: { readonly attempts: number; readonly next?: string; readonly detail?: string };
}

/** The operations of one site. Every method throws a `TargetError` that names the site. */
export class OperatorApi {
  readonly #target: Target;
  readonly #name: string;
  readonly #withinMs: number;

  constructor(target: Target, withinMs = RESPONSE_WITHIN_MS) {
    this.#target = target;
    this.#withinMs = withinMs;
    this.#name = target.site ?? target.url;
  }

  pause(peer: string): Promise<PauseView> {
    return this.#query('PUT', `pauses/${encodeURIComponent(peer)}`) as Promise<PauseView>;
  }

  resume(peer: string): Promise<PauseView> {
    return this.#query('DELETE', `pauses/${encodeURIComponent(peer)}`) as Promise<PauseView>;
  }

  async queues(): Promise<QueueDepths> {
    return ((await this.#query('GET', 'queues')) as { queues: QueueDepths }).queues;
  }

  firstCheck(): Promise<{ site: string; findings: readonly Finding[] }> {
    return this.#query('POST', 'first-check') as Promise<{ site: string; findings: readonly Finding[] }>;
  }

  pending(): Promise<PendingView> {
    return this.#query('GET', 'pending') as Promise<PendingView>;
  }

  causes(): Promise<CausesView> {
    return this.#query('GET', 'dead-letters') as Promise<CausesView>;
  }

  message(id: string): Promise<DeadLetterView> {
    return this.#query('GET', `dead-letters/${encodeURIComponent(id)}`) as Promise<DeadLetterView>;
  }

  settle(action: 'replay' | 'discard', selection: object): Promise<SettledView> {
    return this.#query('POST', `dead-letters/${action}`, selection) as Promise<SettledView>;
  }

  compare(request: { peer: string; repair: boolean; entity?: string }): Promise<VerificationView> {
    return this.#query('POST', 'verifications', request) as Promise<VerificationView>;
  }

  /** @param entity Those of its records alone; undefined: those of all records. */
  async verifications(entity?: string): Promise<readonly VerificationView[]> {
    const query = entity === undefined ? '' : `?entity=${encodeURIComponent(entity)}`;
    const response = (await this.#query('GET', `verifications${query}`)) as {
      verifications: VerificationView[];
    };
    return response.verifications;
  }

  beginInventory(read: boolean): Promise<ContentInventoryView> {
    return this.#query('POST', 'inventories', { read }) as Promise<ContentInventoryView>;
  }

  /** Of the site and its peers, as far as it knows. */
  async inventories(): Promise<readonly ContentInventoryView[]> {
    const response = (await this.#query('GET', 'inventories')) as { inventories: ContentInventoryView[] };
    return response.inventories;
  }

  content(key: string): Promise<RecordContentView> {
    return this.#query('GET', `contents/${encodeURIComponent(key)}`) as Promise<RecordContentView>;
  }

  conflicts(limit: number): Promise<ConflictPage> {
    return this.#query('GET', `conflicts?limit=${limit}`) as Promise<ConflictPage>;
  }

  conflict(id: string): Promise<ConflictView> {
    return this.#query('GET', `conflicts/${encodeURIComponent(id)}`) as Promise<ConflictView>;
  }

  override(id: string, decision: object): Promise<ConflictView> {
    return this.#query(
      'POST',
      `conflicts/${encodeURIComponent(id)}/override`,
      decision,
    ) as Promise<ConflictView>;
  }

  restore(request: RestoreRequest): Promise<RestoreView> {
    return this.#query('POST', 'restores', request) as Promise<RestoreView>;
  }

  personRecords(subject: string, cursor: string | undefined): Promise<PersonPage> {
    return this.#query('POST', 'persons/records', {
      subject,
      ...(cursor !== undefined && { cursor }),
    }) as Promise<PersonPage>;
  }

  erasePerson(asked: {
    readonly subject: string;
    readonly why: string;
    readonly by: string;
  }): Promise<ErasureView> {
    return this.#query('POST', 'persons/erasures', asked) as Promise<ErasureView>;
  }

  async erasures(): Promise<readonly ErasureView[]> {
    return ((await this.#query('GET', 'persons/erasures')) as { erasures: readonly ErasureView[] }).erasures;
  }

  personLetters(subject: string): Promise<{ readonly scanned: number; readonly discarded: number }> {
    return this.#query('POST', 'persons/dead-letters', { subject }) as Promise<{
      readonly scanned: number;
      readonly discarded: number;
    }>;
  }

  async writers(): Promise<readonly WriterView[]> {
    return ((await this.#query('GET', 'writers')) as { writers: readonly WriterView[] }).writers;
  }

  closeWriter(step: object): Promise<unknown> {
    return this.#query('POST', 'writers/close', step);
  }

  openWriter(step: object): Promise<unknown> {
    return this.#query('POST', 'writers/open', step);
  }

  reactions(): Promise<ReactionsView> {
    return this.#query('GET', 'reactions') as Promise<ReactionsView>;
  }

  reactionsOf(key: string): Promise<RecordReactionsView> {
    return this.#query('GET', `reactions/${encodeURIComponent(key)}`) as Promise<RecordReactionsView>;
  }

  pauseReaction(reaction: string, paused: boolean): Promise<ReactionPauseView> {
    const path = `reaction-pauses/${encodeURIComponent(reaction)}`;
    return this.#query(paused ? 'PUT' : 'DELETE', path) as Promise<ReactionPauseView>;
  }

  changeReaction(change: object): Promise<ReactionEntryView> {
    return this.#query('POST', 'reactions/change', change) as Promise<ReactionEntryView>;
  }

  scanReactions(wanted: object): Promise<ReactionScanView> {
    return this.#query('POST', 'reactions/scan', wanted) as Promise<ReactionScanView>;
  }

  async #query(method: string, path: string, body?: object): Promise<unknown> {
    const { url, operatorKey } = this.#target;
    if (operatorKey === undefined) {
      throw new TargetError(
        `${this.#name}: no operator key; set TANDEM_OPERATOR_KEY to one that the site accepts`,
      );
    }
    let response: Response;
    try {
      response = await fetch(new URL(`/replication/${path}`, url), {
        method,
        headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(this.#withinMs),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new TargetError(`${this.#name} does not answer: ${explain(cause)}`, { cause });
    }
    const value = (await response.json().catch(() => ({}))) as Problem;
    if (response.ok) return value;
    throw new TargetError(`${this.#name}: ${sentence(response.status, value)}`);
  }
}

interface Problem {
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

function sentence(status: number, { detail = `HTTP ${status}`, errors = [] }: Problem): string {
  const broken = errors.map(({ pointer, detail: rule }) => ` ${pointer} ${rule}`).join(';');
  if (status === 401) return `${detail}; set TANDEM_OPERATOR_KEY to a key that the site accepts`;
  return `${detail}${broken === '' ? '' : `:${broken}`}`;
}
