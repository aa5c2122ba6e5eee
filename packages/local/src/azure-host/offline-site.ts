/**
 * One Azure site under `sls offline`: HTTP functions in this process, queues and timers in a child of their own, so
 * that the bridge can be killed alone. Called by the Serverless plugin (infra/serverless/azure/offline.cjs).
 */
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { replaceEnvironment, withEnvironment } from '../code/with-environment.ts';
import { announce } from '../run-registry.ts';
import { BridgeSupervisor } from './bridge-supervisor.ts';
import { type AzureHost, startAzureHost } from './host.ts';
import { provision } from './provision.ts';
import { localSettings } from './settings.ts';

/** The port of Core Tools, which people expect. */
const DEFAULT_PORT = 7071;
/** Files that are saved together are reported, and bundled, one after the other. */
const RELOAD_AFTER_MS = 50;

export interface OfflineSiteOptions {
  /** The project: where infra/azure is. */
  readonly serviceDir: string;
  /** Where function.json files and bundles are, or will be. */
  readonly appDir: string;
  /** `provider.environment` of the service. */
  readonly declared: Readonly<Record<string, unknown>>;
  readonly print: (line: string) => void;
  /** Where the trigger process has an inspector: `127.0.0.1:9229`. */
  readonly bridgeInspect?: string;
}

export class OfflineSite {
  readonly #options: OfflineSiteOptions;
  /** What the process was started with: it wins over the definition. */
  readonly #outside = { ...process.env };
  #settings: Record<string, string>;
  #provisioned: Promise<void>;
  #host: AzureHost | undefined;
  #supervisor: BridgeSupervisor | undefined;
  #reloading: NodeJS.Timeout | undefined;

  /** Creates what the site needs at the emulators; bundling goes on meanwhile. */
  constructor(options: OfflineSiteOptions) {
    this.#options = options;
    this.#settings = localSettings(options.declared, this.#outside);
    this.#provisioned = this.#provision(this.#settings);
    // Reported by start(), which awaits it.
    this.#provisioned.catch(() => undefined);
  }

  /** Serves, once the bundles are there. @throws Error when an emulator, a bundle or the port is wrong. */
  async start(): Promise<void> {
    const { appDir, print } = this.#options;
    await this.#provisioned;
    this.#supervisor = this.#newBridge(this.#settings);
    this.#supervisor?.start();
    process.setSourceMapsEnabled(true);
    this.#host = await startAzureHost({
      appDir,
      include: 'http',
      port: readWhole(process.env['TANDEM_HTTP_PORT'] ?? String(DEFAULT_PORT), {
        name: 'TANDEM_HTTP_PORT',
        min: 0,
        max: 65_535,
      }),
      settings: this.#settings,
      log: print,
    });
    const { url = '' } = this.#host;
    print(`[azure host] ${this.#settings['TANDEM_SITE'] ?? 'azure'}: ${url}`);
    announce(this.#settings['TANDEM_SITE'] ?? 'azure', { http: url });
    flushCompileCache();
  }

  /** The bundles have changed: both processes load them again, once for changes that come together. */
  reload(): void {
    this.#reloading ??= setTimeout(() => {
      this.#reloading = undefined;
      this.reloadNow().catch((error: unknown) => {
        this.#options.print(`[azure host] ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
      });
    }, RELOAD_AFTER_MS);
  }

  /** Loads the bundle again in both processes. @throws What it throws; the functions are then those from before. */
  async reloadNow(): Promise<void> {
    const loaded = this.#host?.load();
    const problem = await this.#supervisor?.reload();
    if (problem === undefined) loaded?.serve();
    else {
      loaded?.discard();
      throw new Error(problem);
    }
  }

  /**
   * The same with other settings, and with functions whose triggers are others than before. Both bridges run for a
   * moment, as instances of two releases do in the cloud: none is missing when the new one does not start.
   */
  async beginAnew(declared: OfflineSiteOptions['declared']): Promise<void> {
    const settings = localSettings(declared, this.#outside);
    await this.#provision(settings);
    const loaded = withEnvironment(settings, () => this.#host?.load());
    const bridge = this.#newBridge(settings);
    try {
      await bridge?.tryStart();
    } catch (error) {
      loaded?.discard();
      throw error;
    }
    replaceEnvironment(this.#settings, settings, this.#outside);
    loaded?.serve();
    const before = this.#supervisor;
    this.#settings = settings;
    this.#supervisor = bridge;
    void before?.stop().then(() => bridge?.inspectNow());
  }

  #newBridge(settings: Record<string, string>): BridgeSupervisor | undefined {
    const { appDir, print, bridgeInspect } = this.#options;
    const env = { ...this.#outside, ...settings };
    if (hasQueueConnection(env)) return new BridgeSupervisor({ appDir, env, print, inspect: bridgeInspect });
    print('[azure host] neither ServiceBus nor SERVICE_BUS_CONNECTION is set: queues and timers do not run');
    return undefined;
  }

  async #provision(settings: Record<string, string>): Promise<void> {
    await provision({
      templateFile: path.join(this.#options.serviceDir, 'infra/azure/site.json'),
      settings: { ...this.#outside, ...settings },
    });
    this.#options.print('[azure host] container and queues are there');
  }

  /** Ends the child and stops serving. */
  async stop(): Promise<void> {
    clearTimeout(this.#reloading);
    await Promise.all([this.#supervisor?.stop(), this.#host?.close()]);
  }
}

function hasQueueConnection(env: NodeJS.ProcessEnv): boolean {
  return env['ServiceBus'] !== undefined || env['ServiceBus__fullyQualifiedNamespace'] !== undefined;
}
