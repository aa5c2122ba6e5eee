/**
 * Probes of a site on Azure, where all functions have one identity: every call that any of them makes. What is written
 * is a scratch record that is removed again, and a message of its own in the dead-letter queue.
 */
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { Store, Versioned } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { deadLetterSettlesMax, queueTimeoutMs } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { DeadLetters } from '../../ports/cloud.ts';
import type { DeadLetterBox, QueueDepths } from '../../ports/dead-letter-box.ts';
import { NotCheckedError, type Probe, type ProbeGroup } from '../../ports/probe.ts';
import { tlsProbe } from '../negotiated-tls.ts';
import { busAddress, sendProbe } from '../peers/peer-probes.ts';

interface Opened {
  readonly config: Config;
  readonly store: Store;
  readonly queues: Readonly<Record<'out' | 'in' | 'verify' | 'react' | 'objects', QueueSender>>;
  readonly deadLetters: DeadLetters;
  readonly box: DeadLetterBox;
  readonly depths: () => Promise<QueueDepths>;
  /** A token for the management of queues; undefined where there is a connection string. */
  readonly token: (() => Promise<string>) | undefined;
  /** Names the scratch record and message; unique. */
  readonly nonce: string;
}

/** Text that a client may send, and text that is refused at the boundary (`http/json-text.ts`). */
const NUL = 'a\u0000b';
const HALF = 'a\ud800b';
const STAMP = '0';

export function azureProbes(opened: Opened): ProbeGroup[] {
  const { config, store, queues, deadLetters, box, depths, token, nonce } = opened;
  const { cosmosEndpoint = '', serviceBusNamespace, serviceBusConnection } = config.azure ?? {};
  const triggered = ['tandem-out', 'tandem-in', 'tandem-verify', 'tandem-react', 'tandem-objects'] as const;
  return [
    [...storeProbes(store, `probe:${nonce}`), tlsProbe('store', cosmosEndpoint)],
    [
      sendProbe('queue.send', 'tandem-out', config.site, queues.out),
      sendProbe('queue.send', 'tandem-in', config.site, queues.in),
      sendProbe('queue.send', 'tandem-verify', config.site, queues.verify),
      sendProbe('queue.send', 'tandem-react', config.site, queues.react),
      sendProbe('queue.send', 'tandem-objects', config.site, queues.objects),
    ],
    [
      { id: 'queue.depth', subject: 'all', run: async () => JSON.stringify(await depths()) },
      ...deadLetterProbes(deadLetters, box, nonce),
      tlsProbe('queues', busAddress(serviceBusNamespace, serviceBusConnection)),
    ],
    triggered.map((queue) => ({
      id: 'queue.count',
      subject: queue,
      run: async () => {
        if (token === undefined || serviceBusNamespace === undefined)
          throw new NotCheckedError('by connection string');
        return countMessages(`https://${serviceBusNamespace}`, queue, await token());
      },
    })),
  ];
}

/** In this order: each needs the record that the first one writes; the last one removes it. */
function storeProbes(store: Store, key: string): Probe[] {
  const put = async (record: StoredRecord, expected?: string): Promise<void> => {
    const [result] = await store.putMany([{ record, expected }]);
    if (result?.status === 'failed') throw result.error;
    if (result?.status !== 'written') throw new Error(`${record.key} is ${result?.status ?? 'unknown'}`);
  };
  const held = async (id = key): Promise<Versioned> => {
    const found = await store.get(id);
    if (found === undefined) throw new Error(`${id} is not there`);
    return found;
  };
  const textProbe = (id: string, text: string): Probe => ({
    id,
    run: async () => {
      const own = `${key}-${id.split('.')[1] ?? ''}`;
      try {
        await put(scratch(own, text));
        const { record } = await held(own);
        const back = record.state.fields['text']?.[1];
        if (back !== text)
          throw new Error(`altered: ${JSON.stringify(text)} came back as ${JSON.stringify(back)}`);
        return 'came back as it was';
      } finally {
        await removeIfThere(store, own);
      }
    },
  });
  return [
    {
      id: 'store.create',
      run: async () => {
        await put(scratch(key, 'text'));
        return `wrote ${key}`;
      },
    },
    { id: 'store.read', run: async () => `at ${(await held()).revision === '' ? 'no' : 'a'} revision` },
    { id: 'store.read-many', run: async () => `${(await store.getMany([key, `${key}-none`])).size} found` },
    {
      id: 'store.replace',
      run: async () => {
        const { record, revision } = await held();
        await put({ ...record, pending: { probe: STAMP }, pendingSince: 0 }, revision);
        return 'replaced on condition';
      },
    },
    {
      id: 'store.patch',
      run: async () => {
        const [error] = await store.clearPending([{ key, accepted: { probe: STAMP } }]);
        if (error !== undefined) throw error;
        if (Object.keys((await held()).record.pending).length > 0)
          throw new Error('the marker is still there');
        return 'patched on condition';
      },
    },
    textProbe('store.nul', NUL),
    textProbe('store.surrogate', HALF),
    {
      id: 'store.list',
      run: async () => {
        const keys = await store.list('probe', { after: undefined, limit: 100 });
        if (!keys.includes(key)) throw new Error(`${key} is not in its list`);
        return `${keys.length} found`;
      },
    },
    { id: 'store.pending', run: async () => `${(await store.pending(0, 1)).length} found` },
    { id: 'store.due', run: async () => `${(await store.due(0, 1)).length} found` },
    {
      id: 'store.scan',
      run: async () => `${(await store.scan({ cursor: undefined, limit: 1 })).records.length} found`,
    },
    {
      id: 'store.remove',
      run: async () => {
        const { revision } = await held();
        if (!(await store.remove(key, revision))) throw new Error(`${key} is still there`);
        return `removed ${key}`;
      },
    },
  ];
}

/** A record as every other one, of an entity that has no list. */
function scratch(key: string, text: string): StoredRecord {
  return {
    key,
    state: { fields: { text: [STAMP, text] }, vector: {} },
    pending: {},
    operations: [],
  };
}

/** Never fails: `store.remove` says whether removing works. */
async function removeIfThere(store: Store, key: string): Promise<void> {
  try {
    const found = await store.get(key);
    if (found !== undefined) await store.remove(key, found.revision);
  } catch {
    // A scratch record that stays is harmless, and `store.remove` names the reason.
  }
}

function deadLetterProbes(deadLetters: DeadLetters, box: DeadLetterBox, nonce: string): Probe[] {
  const subject = 'tandem-dead';
  return [
    {
      id: 'queue.send',
      subject,
      run: async () => {
        const [result] = await deadLetters.send([
          { queue: 'none', id: nonce, body: nonce, reason: 'probe', detail: 'of a first check; discard it' },
        ]);
        if (result !== undefined) throw result;
        return 'accepted';
      },
    },
    {
      id: 'queue.receive',
      subject,
      run: async () => {
        const ours: string[] = [];
        await box.settle(deadLetterSettlesMax, (messages) => {
          ours.push(...messages.filter(({ body }) => body === nonce).map(({ id }) => id));
          return Promise.resolve({ remove: new Set(ours), goOn: ours.length === 0 });
        });
        if (ours.length === 0) throw new Error('the message that was sent there did not come');
        return 'received and completed';
      },
    },
  ];
}

/**
 * How long a queue is, as the platform asks for it to decide how many instances there are: the right to manage the queue.
 * @see https://learn.microsoft.com/rest/api/servicebus/get-queue
 * @param base `https://<namespace>`
 */
export async function countMessages(base: string, queue: string, token: string): Promise<string> {
  const response = await fetch(new URL(`/${queue}?api-version=2021-05`, base), {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(queueTimeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 300)}`);
  const count = /<MessageCount>(\d+)<\/MessageCount>/.exec(text)?.[1];
  if (count === undefined) throw new Error('the answer holds no MessageCount');
  return `${count} messages`;
}
