/**
 * One site on this machine with emulators of its own: what `sls offline` is without addresses of services. The
 * processes are those of `npm start`, for one site: the emulators, and `sls offline` once more, which is given their
 * addresses.
 *
 * Invariants: no process of it gets an address or a credential of a cloud account; whatever goes wrong, nothing that
 * was started is left behind; the other sites of the folder are peers, whether they run or not.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Death } from '../stack/keeper.ts';
import { Output, seconds } from '../stack/output.ts';
import type { SiteName } from '../stack/sites.ts';
import { StopSignal } from '../stack/stop-signal.ts';
import { explain, Supervisor } from '../stack/supervise.ts';
import { endpointsOf, planSite, type ProcessPlan, urlOf } from '../stack/topology.ts';
import { enterSite, leaveSite, portsOf, readSites, runs, type SiteRegistry } from './site-registry.ts';

/** How often the registry is read for other sites that start, end or move. */
const REGISTRY_POLL_MS = 500;
/** The names of AWS_* and others are set for the emulators; these are the user's own. */
const OWN_SETTING = /^TANDEM_(?!RUN_DIR$)/;

const SERVICE_NAMES: Readonly<Record<string, string>> = {
  dynamodb: 'DynamoDB',
  sqs: 'SQS',
  cosmos: 'Cosmos DB',
  serviceBus: 'Service Bus',
  secretsManager: 'Secrets',
  keyVault: 'Key Vault',
  s3: 'S3',
  blob: 'Blob Storage',
};

type Environment = Readonly<Record<string, string | undefined>>;

export interface SiteRunOptions {
  /** The project: where the service definitions are. Absolute. */
  readonly projectDir: string;
  readonly site: SiteName;
  /** `provider.environment` of the definition, with its parameters filled in. */
  readonly declared: Readonly<Record<string, unknown>>;
  /** Usually `process.env`. A TANDEM_* variable in it replaces the definition's. */
  readonly inherited: Environment;
  /** Of the functions, where the user says so. */
  readonly httpPort?: number | undefined;
  /** Arguments of the CLI for the functions, as the user gave them; absent: the emulators run alone. */
  readonly functions?: readonly string[];
  readonly output: Output;
  /** Takes each line that the functions' process writes. */
  readonly onFunctionsLine?: (line: string) => void;
}

/** Where everything of the sites in a project is. */
export function placesOf(projectDir: string, { site }: SiteName) {
  const dir = path.join(projectDir, '.tandem');
  return {
    dir,
    data: path.join(dir, 'data'),
    logs: path.join(dir, 'logs'),
    run: path.join(dir, 'sites', site),
    build: path.join(dir, 'build'),
    cache: path.join(dir, 'cache'),
  };
}

/** What the processes of a site are started with. */
export function plansOf(
  options: SiteRunOptions,
  registry: SiteRegistry,
): { emulators: ProcessPlan; host: ProcessPlan } {
  const { projectDir, site, declared, inherited, functions = [] } = options;
  const places = placesOf(projectDir, site);
  const digest = createHash('sha256').update(registry.operatorKey).digest('hex');
  const { emulators, host } = planSite(site, {
    sites: registry.sites.map((entry) => ({ site: entry.site, cloud: entry.cloud, region: entry.region })),
    ports: portsOf(registry.sites),
    projectDir,
    runDir: places.run,
    buildDir: places.build,
    dataDir: places.data,
    cacheDir: places.cache,
    logLevel: textOf(declared['TANDEM_LOG_LEVEL']) ?? 'info',
    operatorDigest: [textOf(declared['TANDEM_OPERATOR_KEYS']), digest].filter(Boolean).join(','),
    inherited,
  });
  const [cli = ''] = host.args;
  const peers = textOf(declared['TANDEM_PEERS']);
  return {
    emulators,
    host: {
      ...host,
      args: [cli, ...functions],
      env: {
        ...host.env,
        ...(peers !== undefined && peers !== '[]' && { TANDEM_PEERS: peers }),
        ...ownSettings(inherited),
        // The port that the others know; a choice of the user is among the ports already.
        TANDEM_HTTP_PORT: host.env['TANDEM_HTTP_PORT'] ?? '',
      },
    },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function ownSettings(inherited: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inherited).filter(
      (entry): entry is [string, string] => OWN_SETTING.test(entry[0]) && entry[1] !== undefined,
    ),
  );
}

/** A site that runs, from its entry in the registry to its last process. */
export class SiteRun {
  readonly #options: SiteRunOptions;
  readonly #places: ReturnType<typeof placesOf>;
  readonly #supervisor: Supervisor;
  readonly #failed = Promise.withResolvers<never>();
  readonly #kill = (): void => this.#supervisor.kill();
  #registry: SiteRegistry;
  #host: ProcessPlan;
  #isReady = false;
  #stopping = false;
  #watch: NodeJS.Timeout | undefined;

  private constructor(options: SiteRunOptions, registry: SiteRegistry) {
    this.#options = options;
    this.#registry = registry;
    this.#places = placesOf(options.projectDir, options.site);
    const { emulators, host } = plansOf(options, registry);
    this.#host = host;
    const current = (): ProcessPlan => this.#host;
    // Its environment holds the other sites' addresses, which can change between two starts.
    const functions: ProcessPlan = {
      ...host,
      get env() {
        return current().env;
      },
    };
    this.#supervisor = new Supervisor({
      plans: options.functions === undefined ? [emulators] : [emulators, functions],
      cwd: process.cwd(),
      runDir: this.#places.run,
      logsDir: this.#places.logs,
      onLine: (name, line) => {
        if (name !== host.name || options.onFunctionsLine === undefined) options.output.line(name, line);
        // What a process says while it is being ended is for its log.
        else if (!this.#stopping) options.onFunctionsLine(line);
      },
      onChange: () => undefined,
      onDeath: (death) => this.#died(death),
    });
    this.#failed.promise.catch(() => undefined);
  }

  /** @throws SiteRunsError when another process runs the site. */
  static async enter(options: SiteRunOptions): Promise<SiteRun> {
    const { dir } = placesOf(options.projectDir, options.site);
    return new SiteRun(options, await enterSite(dir, options.site, options.httpPort));
  }

  /** What its functions find in the environment. */
  get functionsEnvironment(): Readonly<Record<string, string>> {
    return this.#host.env;
  }

  get url(): string {
    return urlOf(portsOf(this.#registry.sites), this.#options.site.site);
  }

  /** Resolves when everything serves. @throws Error when a process ends before that. */
  async start(): Promise<void> {
    process.on('exit', this.#kill);
    this.#supervisor.start();
    await Promise.race([this.#supervisor.whenReady(), this.#failed.promise]);
    this.#isReady = true;
  }

  /** From now on the functions get to know other sites that start or move, and the user too. */
  watchOthers(): void {
    this.#reportOthers(undefined);
    this.#watch = setInterval(() => this.#readOthers(), REGISTRY_POLL_MS);
  }

  /** Where its services are, and its data. */
  describe(): string {
    const { site, projectDir } = this.#options;
    const endpoints = endpointsOf(site, portsOf(this.#registry.sites));
    const shown = (folder: string): string => path.relative(process.cwd(), folder) || '.';
    const rows = Object.entries(endpoints).flatMap(([service, address]) => {
      const name = SERVICE_NAMES[service];
      const place = /^Endpoint=([^;]+)/.exec(address)?.[1] ?? address;
      return name === undefined ? [] : [[name, place] as const];
    });
    const { data, logs } = placesOf(projectDir, site);
    return [...rows, ['data', shown(path.join(data, site.site))] as const, ['logs', shown(logs)] as const]
      .map(([name, value]) => `  ${name.padEnd(12)} ${value}`)
      .join('\n');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    await this.#supervisor.stop();
    process.off('exit', this.#kill);
    await leaveSite(this.#places.dir, this.#options.site);
  }

  #died(death: Death): void {
    const { output } = this.#options;
    const log = path.join(path.relative(process.cwd(), this.#places.logs), `${death.name}.log`);
    // What the functions' process has said is on the screen; before it has served it is not started again.
    if (this.#isReady || death.name !== this.#host.name) output.died(death, log);
    if (this.#isReady && death.hopeless === undefined) return;
    // Nobody is there yet who would miss it: the user mends the mistake and starts it again.
    this.#failed.reject(
      new Error(death.hopeless === undefined ? `${death.name} ended: ${death.why}` : explain(death)),
    );
  }

  /** Rejects when the site can serve no more. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  #readOthers(): void {
    const before = this.#registry;
    let now: SiteRegistry | undefined;
    try {
      now = readSites(this.#places.dir);
    } catch (error) {
      this.#options.output.problem(error instanceof Error ? error.message : String(error));
    }
    if (now === undefined || JSON.stringify(now) === JSON.stringify(before)) return;
    this.#registry = now;
    this.#reportOthers(before);
    const { host } = plansOf(this.#options, now);
    if (host.env['TANDEM_PEERS'] === this.#host.env['TANDEM_PEERS']) return;
    this.#host = host;
    this.#options.output.print(`${host.name} begins anew, because the addresses of its peers have changed.`);
    this.#supervisor.keepers.find(({ plan }) => plan.name === host.name)?.startAnew();
  }

  #reportOthers(before: SiteRegistry | undefined): void {
    const { site, output } = this.#options;
    for (const other of this.#registry.sites) {
      if (other.site === site.site) continue;
      const known = before?.sites.find((entry) => entry.site === other.site);
      const ran = known === undefined ? undefined : known.pid !== null;
      if (ran === (other.pid !== null)) continue;
      output.print(
        runs(other)
          ? `${other.site} runs too, at ${urlOf(portsOf([other]), other.site)}: what either writes reaches the other.`
          : `${other.site} does not run: what is written here waits for it.`,
      );
    }
  }
}

/** Runs a site until it is asked to end. @throws Error when it cannot serve. */
export async function runSite(options: SiteRunOptions): Promise<void> {
  const { site, output } = options;
  const begunAt = performance.now();
  const run = await SiteRun.enter(options);
  const stop = new StopSignal();
  try {
    output.print(`${site.site} is given no addresses of services, so it brings its own emulators:`);
    output.print(run.describe());
    await Promise.race([run.start(), stop.wait()]);
    if (!stop.received) {
      output.print(
        `${site.site} serves at ${run.url} after ${seconds(performance.now() - begunAt)}. Ctrl-C ends it.`,
      );
      run.watchOthers();
    }
    await Promise.race([stop.wait(), run.failed]);
    output.print('Stopping …');
  } finally {
    await run.stop();
    stop.dispose();
  }
}
