/**
 * Makes at the emulators what `sls deploy` makes in the cloud: the database, the container and the queues.
 *
 * Invariant: nothing is created without an explicit address and key, so a run against a cloud account that signs
 * in with an identity creates nothing there.
 */
import { readSiteTemplate, type SiteTemplate } from './template.ts';

type Settings = Readonly<Record<string, string | undefined>>;

/** An emulator that starts at the same time is up within this; a real mistake is reported after it. */
const WAIT_MS_MAX = 20_000;
const RETRY_MS = 50;
/** A request that an emulator does not answer within this time fails. */
const RESPONSE_WITHIN_MS = 10_000;

export interface ProvisionOptions {
  /** The ARM template. */
  readonly templateFile: string;
  /**
   * Reads COSMOS_ENDPOINT with COSMOS_KEY, COSMOS_DATABASE and COSMOS_CONTAINER (the template's names when absent),
   * and SERVICE_BUS_CONTROL_URL, the control interface of the Service Bus emulator.
   */
  readonly settings: Settings;
}

/** Creates what is not there yet. @throws Error when an emulator does not answer within 20 s, or refuses. */
export async function provision({ templateFile, settings }: ProvisionOptions): Promise<void> {
  const template = readSiteTemplate(templateFile);
  await Promise.all([createContainer(template, settings), createQueues(template, settings)]);
}

async function createContainer({ database, container }: SiteTemplate, settings: Settings): Promise<void> {
  const { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key } = settings;
  if (endpoint === undefined || key === undefined) return;
  const { CosmosClient } = await import('@azure/cosmos');
  await eventually(`Cosmos DB at ${endpoint}`, async () => {
    // The client looks its account up when it is made, so each attempt needs another one.
    const client = new CosmosClient({
      endpoint,
      key,
      connectionPolicy: { enableEndpointDiscovery: false, requestTimeout: RESPONSE_WITHIN_MS },
    });
    try {
      const created = await client.databases.createIfNotExists({
        id: settings['COSMOS_DATABASE'] ?? database,
      });
      await created.database.containers.createIfNotExists({
        ...container,
        id: settings['COSMOS_CONTAINER'] ?? container.id,
      });
    } finally {
      client.dispose();
    }
  });
}

async function createQueues({ queues, tier }: SiteTemplate, settings: Settings): Promise<void> {
  const { SERVICE_BUS_CONTROL_URL: controlUrl } = settings;
  if (controlUrl === undefined) return;
  const put = (path: string, options: object): Promise<void> =>
    eventually(`the Service Bus emulator at ${controlUrl}`, async () => {
      const response = await fetch(new URL(path, controlUrl), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(options),
        signal: AbortSignal.timeout(RESPONSE_WITHIN_MS),
      });
      const reply = await response.text();
      if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${reply}`);
    });
  // First: what the tier does not have is refused.
  await put('/_tandem/namespace', { tier });
  await Promise.all(queues.map(({ name, ...options }) => put(`/_tandem/queues/${name}`, options)));
}

/** Retries while nothing listens; any answer, also a refusal, ends it, and so does the time. */
async function eventually(what: string, attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      await before(deadline, attempt());
      return;
    } catch (error) {
      if (!isRefused(error) || Date.now() > deadline) {
        throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** The SDK by itself tries a refused or unanswered request again for minutes. @throws Error at `deadline`. */
async function before(deadline: number, attempt: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const report = (): void => reject(new Error(`it does not serve within ${WAIT_MS_MAX / 1_000} s`));
    timer = setTimeout(report, deadline - Date.now());
  });
  try {
    await Promise.race([attempt, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return code === 'ECONNREFUSED' || isRefused(error.cause) || error.message.includes('ECONNREFUSED');
}
