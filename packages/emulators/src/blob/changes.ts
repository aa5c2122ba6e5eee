/**
 * What can happen to an account, as data: a line of the journal is a list of these, and takes effect as a whole.
 *
 * Invariant: state is what the changes make of nothing, in their order, so a replayed journal is the state before.
 */
import { type Content, type ObjectFiles } from '../core/object-files.ts';
import { SortedNames } from '../core/sorted-names.ts';
import type { BlobEvent } from './events.ts';
import type {
  Blob,
  BlobVersion,
  Container,
  ContainerState,
  Lease,
  ServiceProperties,
  StagedBlock,
} from './model.ts';

interface OfBlob {
  readonly container: string;
  readonly blob: string;
}

export type Change =
  | { readonly do: 'container'; readonly container: string; readonly state: ContainerState }
  | { readonly do: 'no-container'; readonly container: string }
  /** A new state that becomes the current one; the former one is kept as a version, or not. */
  | (OfBlob & { readonly do: 'current'; readonly version: BlobVersion; readonly keep: boolean })
  /** Other properties of a state, current or not, with the same id and content. */
  | (OfBlob & { readonly do: 'amend'; readonly version: BlobVersion })
  /** The current state becomes a previous one. */
  | (OfBlob & { readonly do: 'demote' })
  /** A previous state becomes the current one. */
  | (OfBlob & { readonly do: 'promote'; readonly id: string })
  | (OfBlob & { readonly do: 'drop'; readonly id: string })
  | (OfBlob & { readonly do: 'stage'; readonly block: StagedBlock })
  | (OfBlob & { readonly do: 'unstage' })
  | (OfBlob & { readonly do: 'lease'; readonly lease: Lease | undefined })
  | { readonly do: 'service'; readonly properties: ServiceProperties }
  | { readonly do: 'event'; readonly event: BlobEvent }
  | { readonly do: 'event-sent'; readonly id: string };

export class State {
  readonly containers = new Map<string, Container>();
  readonly events = new Map<string, BlobEvent>();
  service: ServiceProperties = { cors: [] };
  readonly #files: ObjectFiles;

  constructor(files: ObjectFiles) {
    this.#files = files;
  }

  apply(change: Change): void {
    switch (change.do) {
      case 'container':
        this.#putContainer(change.container, change.state);
        break;
      case 'no-container':
        this.#removeContainer(change.container);
        break;
      case 'service':
        this.service = change.properties;
        break;
      case 'event':
        this.events.set(change.event.id, change.event);
        break;
      case 'event-sent':
        this.events.delete(change.id);
        break;
      case 'current':
      case 'amend':
      case 'demote':
      case 'promote':
      case 'drop':
      case 'stage':
      case 'unstage':
      case 'lease':
        this.#applyToBlob(change);
    }
  }

  #applyToBlob(change: Extract<Change, OfBlob>): void {
    const container = this.containers.get(change.container);
    if (container === undefined) throw new Error(`the journal names no container ${change.container}`);
    const blob = blobOf(container, change.blob);
    switch (change.do) {
      case 'current':
        this.#hold(change.version);
        if (blob.current !== undefined && change.keep) blob.previous.push(blob.current);
        else if (blob.current !== undefined) this.#release(blob.current);
        blob.current = change.version;
        break;
      case 'amend':
        if (blob.current?.id === change.version.id) blob.current = change.version;
        else
          blob.previous = blob.previous.map((one) => (one.id === change.version.id ? change.version : one));
        break;
      case 'demote':
        if (blob.current !== undefined) blob.previous.push(blob.current);
        blob.current = undefined;
        break;
      case 'promote':
        blob.current = blob.previous.find(({ id }) => id === change.id);
        blob.previous = blob.previous.filter(({ id }) => id !== change.id);
        break;
      case 'drop':
        this.#drop(blob, change.id);
        break;
      case 'stage':
        this.#files.hold(change.block.content);
        this.#files.release(blob.staged.get(change.block.id)?.content ?? []);
        blob.staged.set(change.block.id, change.block);
        blob.lastStagedMs = Math.max(blob.lastStagedMs, change.block.stagedMs);
        break;
      case 'unstage':
        for (const { content } of blob.staged.values()) this.#files.release(content);
        blob.staged.clear();
        break;
      case 'lease':
        blob.lease = change.lease;
    }
    if (blob.current === undefined && blob.previous.length === 0 && blob.staged.size === 0) {
      container.blobs.delete(blob.name);
      container.names.delete(blob.name);
    }
  }

  /** The changes that make this state of nothing. */
  *snapshot(): Generator<Change, void, undefined> {
    yield { do: 'service', properties: this.service };
    for (const { name: container, state, blobs } of this.containers.values()) {
      yield { do: 'container', container, state };
      for (const blob of blobs.values()) yield* changesOf(container, blob);
    }
    for (const event of this.events.values()) yield { do: 'event', event };
  }

  #putContainer(name: string, state: ContainerState): void {
    const known = this.containers.get(name);
    if (known === undefined) {
      this.containers.set(name, { name, state, blobs: new Map(), names: new SortedNames() });
    } else known.state = state;
  }

  #removeContainer(name: string): void {
    for (const { current, previous, staged } of this.containers.get(name)?.blobs.values() ?? []) {
      for (const version of [...previous, ...(current === undefined ? [] : [current])])
        this.#release(version);
      for (const { content } of staged.values()) this.#files.release(content);
    }
    this.containers.delete(name);
  }

  #drop(blob: Blob, id: string): void {
    if (blob.current?.id === id) {
      this.#release(blob.current);
      blob.current = undefined;
      return;
    }
    const dropped = blob.previous.find((version) => version.id === id);
    if (dropped !== undefined) this.#release(dropped);
    blob.previous = blob.previous.filter((version) => version.id !== id);
  }

  #hold({ content }: { readonly content: Content }): void {
    this.#files.hold(content);
  }

  #release({ content }: { readonly content: Content }): void {
    this.#files.release(content);
  }
}

function blobOf(container: Container, name: string): Blob {
  const known = container.blobs.get(name);
  if (known !== undefined) return known;
  const blob = {
    name,
    current: undefined,
    previous: [],
    staged: new Map(),
    lastStagedMs: 0,
    lease: undefined,
  };
  container.blobs.set(name, blob);
  container.names.add(name);
  return blob;
}

function* changesOf(container: string, blob: Blob): Generator<Change, void, undefined> {
  const of = { container, blob: blob.name };
  const { current, previous, staged, lease } = blob;
  for (const block of staged.values()) yield { ...of, do: 'stage', block };
  for (const version of previous) yield { ...of, do: 'current', version, keep: true };
  if (current !== undefined) yield { ...of, do: 'current', version: current, keep: true };
  else if (previous.length > 0) yield { ...of, do: 'demote' };
  if (lease !== undefined) yield { ...of, do: 'lease', lease };
}
