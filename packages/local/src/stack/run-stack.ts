/**
 * `npm start` from the command line's options to the last process that has ended.
 *
 * Invariant: whatever goes wrong, nothing that was started is left behind, and the exit status says whether it went
 * wrong: 0 after an ordinary stop, 1 otherwise.
 */
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasStackFile, type Stack } from '@tandem-clouds/command-line/running-stack';
import { lockDataDir } from '@tandem-clouds/emulators/core/data-lock';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { FaultsServer } from '../faults/faults-server.ts';
import { StackFaults } from '../faults/stack-faults.ts';
import { StackLinks } from '../faults/stack-links.ts';
import { type Ports, PortsTakenError, reservePorts } from '../ports.ts';
import { fillCatalogue } from '../seed/fill-catalogue.ts';
import { seed } from '../seed/seed.ts';
import { setRelease } from '../site-release.ts';
import type { TypeCheck } from '../types/type-check.ts';
import { withDotEnv } from './dot-env.ts';
import type { StackOptions } from './options.ts';
import { Output, seconds, summary } from './output.ts';
import { StackCode } from './stack-code.ts';
import { describeStack, StackFile } from './stack-file.ts';
import { typeCheck } from './stack-types.ts';
import { StopSignal } from './stop-signal.ts';
import { StartError, Supervisor } from './supervise.ts';
import { planProcesses, type TopologyInput, urlOf } from './topology.ts';

const PROJECT_DIR = path.join(import.meta.dirname, '../../../..');
/** Of what may be made again at any time; a measurement of first starts has another one each time. */
const CACHE_DIR = path.resolve(process.env['TANDEM_CACHE_DIR'] ?? path.join(PROJECT_DIR, '.tandem/cache'));
/** The processes of a supervisor that was killed end by themselves within this time. */
const LEFTOVERS_END_WITHIN_MS = 3_000;
/** After a start: who has waited for it makes the first requests. */
const WARMED_AFTER_MS = 2_000;

interface Places {
  readonly dir: string;
  readonly run: string;
  readonly logs: string;
  readonly data: string | undefined;
}

/** Runs until it is told to stop; returns the exit status. */
export async function runStack(options: StackOptions, output: Output): Promise<0 | 1> {
  const dir = path.resolve(options.dir);
  const places: Places = {
    dir,
    run: path.join(dir, 'run'),
    logs: path.join(dir, 'logs'),
    data: options.ephemeral ? undefined : path.join(dir, 'data'),
  };
  try {
    const unlock = lockDataDir(dir);
    try {
      return await runLocked(options, places, output);
    } finally {
      unlock();
    }
  } catch (error) {
    output.problem(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

async function runLocked(options: StackOptions, places: Places, output: Output): Promise<0 | 1> {
  const begunAt = performance.now();
  const killed = hasStackFile(places.dir);
  const links = await StackLinks.open(options.sites, options.drill?.links);
  try {
    const ports = await reserve(options.ports, killed ? LEFTOVERS_END_WITHIN_MS : 0);
    links.leadTo(options.sites, ports);
    return await runUntilStopped({ options, places, ports, links, output }, begunAt);
  } finally {
    await links.close();
  }
}

async function runUntilStopped(input: RunningStackInput, begunAt: number): Promise<0 | 1> {
  const { options, places, ports, output } = input;
  const stack = new RunningStack(input);
  const stop = new StopSignal();
  try {
    await stack.start();
    await Promise.race([stack.whenReady(), stop.wait()]);
    if (!stop.received) {
      output.print(`Tandem is up after ${seconds(performance.now() - begunAt)}.`);
      output.print(summary(stack.describe(), relativePlaces(places)));
      if (options.seed) await Promise.race([fill(ports, options.sites, output), stop.wait()]);
      stack.warmSoon();
      if (options.seed) {
        const goesOn = (): boolean => !stop.received;
        await Promise.race([fillShop(ports, options.sites, { output, goesOn }), stop.wait()]);
      }
    }
    await stop.wait();
    output.print('Stopping …');
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    output.problem('Tandem could not start.');
    return 1;
  } finally {
    await stack.stop();
    stop.dispose();
  }
}

/** As `reservePorts`; waits a little for ports that the leftovers of a killed run still hold. */
async function reserve(wanted: Ports, startTimeoutMs: number): Promise<Ports> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      return await reservePorts(wanted);
    } catch (error) {
      if (!(error instanceof PortsTakenError) || Date.now() >= deadline) throw error;
      await delay(100);
    }
  }
}

/** What it takes to write for everybody. */
const SEED_SCOPES = 'tandem/read tandem/write tandem/any-owner shop/stock shop/catalogue';

/** Behind what is waited for: two hundred products and their pictures. */
async function fillShop(
  ports: Ports,
  names: StackOptions['sites'],
  { output, goesOn }: { readonly output: Output; readonly goesOn: () => boolean },
): Promise<void> {
  try {
    const token = ports.has('issuer') ? await queryToken(urlOf(ports, 'issuer'), SEED_SCOPES) : undefined;
    const sites = names.map(({ site }) => urlOf(ports, site));
    const { products, pictures } = await fillCatalogue(urlOf(ports, 'edge'), { token, sites, goesOn });
    if (products + pictures > 0 && goesOn())
      output.print(`  Catalogue: ${products} more products and ${pictures} pictures were written.`);
  } catch (error) {
    if (goesOn())
      output.problem(
        `The catalogue could not be written: ${error instanceof Error ? error.message : String(error)}`,
      );
  }
}

async function fill(ports: Ports, names: StackOptions['sites'], output: Output): Promise<void> {
  try {
    const token = ports.has('issuer') ? await queryToken(urlOf(ports, 'issuer'), SEED_SCOPES) : undefined;
    const sites = names.map(({ site }) => urlOf(ports, site));
    const { written, present } = await seed(urlOf(ports, 'edge'), { token, sites });
    output.print(`  Sample data: ${written} records written, ${present} were there already.`);
  } catch (error) {
    output.problem(
      `The sample data could not be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

interface RunningStackInput {
  readonly options: StackOptions;
  readonly places: Places;
  readonly ports: Ports;
  /** The ways between the sites. */
  readonly links: StackLinks;
  readonly output: Output;
}

/** The supervisor with its file and its messages. */
class RunningStack {
  readonly #input: RunningStackInput;
  readonly #supervisor: Supervisor;
  readonly #code: StackCode;
  readonly #types: TypeCheck | undefined;
  readonly #file: StackFile;
  readonly #faults: StackFaults;
  readonly #faultsServer: FaultsServer;
  #faultsUrl = '';
  readonly #startedAt = new Date();
  #built: Promise<void> | undefined;
  #warming: NodeJS.Timeout | undefined;
  /** A new one at every start: it dies with the stack. */
  readonly #operatorKey = randomBytes(32).toString('base64url');
  readonly #announcedReady = new Set<string>();
  /** Reported already. */
  #fileProblem: string | undefined;
  readonly #kill = (): void => this.#supervisor.kill();

  constructor(input: RunningStackInput) {
    this.#input = input;
    const { options, places, ports, links, output } = input;
    this.#file = new StackFile(places.dir);
    const topology: TopologyInput = {
      sites: options.sites,
      ports,
      projectDir: PROJECT_DIR,
      runDir: places.run,
      buildDir: path.join(places.dir, 'build'),
      dataDir: places.data,
      cacheDir: CACHE_DIR,
      logLevel: options.logLevel,
      operatorDigest: createHash('sha256').update(this.#operatorKey).digest('hex'),
      inherited: withDotEnv(PROJECT_DIR, process.env),
      ...(options.backup && { backup: true }),
      payments: options.payments,
      mail: true,
      traces: true,
      collector: options.collector,
      consoleOf: places.dir,
      links: { ...links.ports, ...options.drill?.links },
      ...(options.drill && { drill: options.drill }),
    };
    this.#types = options.types === 'on' ? typeCheck(topology, output) : undefined;
    this.#code = new StackCode({
      topology,
      output,
      keepers: () => this.#supervisor.keepers,
      types: this.#types,
    });
    this.#supervisor = new Supervisor({
      plans: planProcesses(topology),
      cwd: PROJECT_DIR,
      runDir: places.run,
      logsDir: places.logs,
      onLine: (name, line) => output.line(name, line),
      onChange: () => this.#changed(),
      onStart: (keeper) => this.#code.give(keeper),
      onMessage: (keeper, message) => this.#code.taken(keeper, message),
      onDeath: (death) => output.died(death, path.join(relativePlaces(places).logs, `${death.name}.log`)),
    });
    this.#faults = new StackFaults({
      sites: options.sites,
      describe: () => this.describe().sites,
      keepers: () => this.#supervisor.keepers,
      links,
      ephemeral: options.ephemeral,
      onProblem: (message) => output.problem(message),
    });
    this.#faultsServer = new FaultsServer(this.#faults, this.#operatorKey);
  }

  async start(): Promise<void> {
    const { options, output, places } = this.#input;
    this.#faultsUrl = await this.#faultsServer.listen();
    output.print(`Starting ${options.sites.map(({ site }) => site).join(', ')} and the edge …`);
    // An error that nobody expected must not leave processes behind.
    process.on('exit', this.#kill);
    for (const [site, artefact] of Object.entries(options.drill?.artefacts ?? {}))
      setRelease(places.run, site, artefact);
    this.#supervisor.start();
    this.#built = this.#code.start();
    this.#built.catch(() => undefined);
  }

  async whenReady(): Promise<void> {
    await Promise.all([this.#built, this.#supervisor.whenReady()]);
    this.#types?.open();
  }

  /** Prepares for the first change, when nobody waits for anything; not where changes are not expected. */
  warmSoon(): void {
    if (this.#types !== undefined)
      this.#warming = setTimeout(() => void this.#code.warm(), WARMED_AFTER_MS).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#warming);
    // What stands still cannot end.
    await Promise.all([this.#faultsServer.close(), this.#faults.close()]);
    await Promise.all([this.#code.stop(), this.#supervisor.stop()]);
    process.off('exit', this.#kill);
    this.#file.remove();
  }

  describe(): Stack {
    const { options, ports } = this.#input;
    return describeStack({
      sites: options.sites,
      ports,
      keepers: this.#supervisor.keepers,
      startedAt: this.#startedAt,
      pid: process.pid,
      ephemeral: options.ephemeral,
      operatorKey: this.#operatorKey,
      payments: options.payments,
      faultsUrl: this.#faultsUrl,
      runDir: this.#input.places.run,
    });
  }

  #changed(): void {
    this.#faults.changed();
    this.#writeFile();
    for (const keeper of this.#supervisor.keepers) {
      const { name } = keeper.plan;
      if (!keeper.ready) this.#announcedReady.delete(name);
      else if (!this.#announcedReady.has(name)) {
        this.#announcedReady.add(name);
        this.#input.output.ready(name, keeper.ageMs);
      }
    }
  }

  /** Tools go by an older file then: no reason to end what runs. */
  #writeFile(): void {
    try {
      this.#file.write(this.describe());
      this.#fileProblem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#fileProblem) this.#input.output.problem(message);
      this.#fileProblem = message;
    }
  }
}

/** As a person in the project's folder would type them. */
function relativePlaces({ dir, logs, data }: Places): {
  dir: string;
  logs: string;
  data: string | undefined;
} {
  const short = (folder: string): string => {
    const relative = path.relative(process.cwd(), folder);
    return relative.startsWith('..') ? folder : relative || '.';
  };
  return { dir: short(dir), logs: short(logs), data: data === undefined ? undefined : short(data) };
}
