/**
 * Tests expect errors, and the code under test reports them: hundreds of lines of JSON that look like trouble. What is
 * written while tests run is kept back, and comes out for the tests that fail, each under its name.
 *
 * Only what the code under test writes is kept: jest's own output takes another way.
 *
 * A file that leaves something open fails, by the name of what it is.
 *
 * What a file costs is written to the file that TANDEM_TEST_COSTS names.
 */
import fs from 'node:fs';
import { format } from 'node:util';
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';
import { nameOf, processorSeconds } from './jest.costs.js';

/** A test that loops must not fill the memory with what it says. */
const KEPT_CHARACTERS_MAX = 2_000_000;

// A worker opens its own three when they are first looked at.
void [process.stdin, process.stdout, process.stderr];

/** How long what a test file has closed may take to be gone. */
const CLOSED_WITHIN_MS = 10_000;
const POLL_MS = 20;

/** What keeps the process alive, by kind; jest's own timers come and go. */
function openResources() {
  return Map.groupBy(
    process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' && kind !== 'Immediate'),
    (kind) => kind,
  );
}

export default class QuietEnvironment extends TestEnvironment {
  #opened = openResources();
  #kept = [];
  #characters = 0;
  #begun = { atMs: performance.now(), processorSeconds: processorSeconds() };
  #name;

  /**
   * With an ordinary global object. Jest's is a proxy behind interceptors, through which every `Math` and every `Object` of
   * every module would be looked up each time, a hundred times slower than in Node.
   * https://nodejs.org/api/vm.html#vmconstantsdont_contextify
   */
  constructor(config, context) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
    this.#name = nameOf(context.testPath, config.projectConfig);
  }

  async setup() {
    await super.setup();
    const { process: own, console: ownConsole } = this.global;
    for (const name of ['stdout', 'stderr']) {
      const quiet = this.#quiet(process[name]);
      Object.defineProperty(own, name, { configurable: true, enumerable: true, get: () => quiet });
    }
    for (const level of ['debug', 'info', 'log', 'warn', 'error', 'trace']) {
      ownConsole[level] = (...values) => this.#keep(`${format(...values)}\n`);
    }
  }

  /** @throws Error when the file leaves a server, a socket or a process: `npm test` would never end. */
  async teardown() {
    const deadline = Date.now() + CLOSED_WITHIN_MS;
    let left = this.#left();
    while (left.length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      left = this.#left();
    }
    await super.teardown();
    this.#writeCost();
    if (left.length > 0) throw new Error(`this file leaves open: ${left.join(', ')}`);
  }

  #writeCost() {
    const file = process.env.TANDEM_TEST_COSTS;
    if (file === undefined) return;
    const cost = {
      name: this.#name,
      seconds: (performance.now() - this.#begun.atMs) / 1_000,
      processorSeconds: processorSeconds() - this.#begun.processorSeconds,
    };
    fs.appendFileSync(file, `${JSON.stringify(cost)}\n`);
  }

  #left() {
    return [...openResources()]
      .filter(([kind, all]) => all.length > (this.#opened.get(kind)?.length ?? 0))
      .map(([kind]) => kind);
  }

  handleTestEvent(event) {
    if (event.name === 'test_done') {
      const { errors, name, parent } = event.test;
      if (errors.length > 0)
        this.#show(`${parent.name === 'ROOT_DESCRIBE_BLOCK' ? '' : `${parent.name} › `}${name}`);
      this.#forget();
    } else if (event.name === 'hook_failure') {
      this.#show(`${event.hook.type} of ${event.hook.parent.name}`);
    }
  }

  #quiet(stream) {
    const write = (chunk, encoding, done) => {
      this.#keep(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      const called = typeof encoding === 'function' ? encoding : done;
      if (typeof called === 'function') process.nextTick(called);
      return true;
    };
    return Object.create(stream, { write: { value: write, writable: true, configurable: true } });
  }

  #keep(text) {
    this.#kept.push(text);
    this.#characters += text.length;
    while (this.#characters > KEPT_CHARACTERS_MAX) this.#characters -= this.#kept.shift().length;
  }

  #show(title) {
    if (this.#kept.length > 0)
      process.stderr.write(`\n--- written during: ${title}\n${this.#kept.join('')}---\n`);
    this.#forget();
  }

  #forget() {
    this.#kept = [];
    this.#characters = 0;
  }
}
