/**
 * One Azure site under `sls offline`: HTTP functions in this process, queues and timers in a child of their own, so
 * that the bridge can be killed alone. Called by the Serverless plugin (infra/serverless/azure/offline.cjs).
 */
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { announce } from '../run-registry.ts';
import { BridgeSupervisor } from './bridge-supervisor.ts';
import { startAzureHost, type AzureHost } from './host.ts';
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
}

export class OfflineSite {
  readonly #options: OfflineSiteOptions;
  readonly #settings: Record<string, string>;
  readonly #provisioned: Promise<void>;
  #host: AzureHost | undefined;
  #supervisor: BridgeSupervisor | undefined;
  #reloading: NodeJS.Timeout | undefined;

  /** Creates what the site needs at the stand-ins; bundling goes on meanwhile. */
  constructor(options: OfflineSiteOptions) {
    this.#options = options;
    this.#settings = localSettings(options.declared, process.env);
    this.#provisioned = provision({
      templateFile: path.join(options.serviceDir, 'infra/azure/site.json'),
      settings: { ...process.env, ...this.#settings },
    });
    // Reported by start(), which awaits it.
    this.#provisioned.catch(() => undefined);
  }

  /** Serves, once the bundles are there. @throws Error when a stand-in, a bundle or the port is wrong. */
  async start(): Promise<void> {
    const { appDir, print } = this.#options;
    await this.#provisioned;
    const env = { ...process.env, ...this.#settings };
    if (hasQueueConnection(env)) {
      this.#supervisor = new BridgeSupervisor({ appDir, env, print });
      this.#supervisor.start();
    } else {
      print(
        '[azure host] neither ServiceBus nor SERVICE_BUS_CONNECTION is set: queues and timers do not run',
      );
    }
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
      this.#reloadNow();
    }, RELOAD_AFTER_MS);
  }

  #reloadNow(): void {
    try {
      this.#host?.reload();
      this.#supervisor?.reload();
    } catch (error) {
      this.#options.print(`[azure host] ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    }
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
