/** What every emulator server looks like from outside: tests, the supervisor and drills rely on nothing else. */
import type { Faults } from './faults.ts';

export interface EmulatorOptions {
  /** TCP port on 127.0.0.1; 0 or absent picks a free one. */
  readonly port?: number;
  /** Folder that the data persists in; absent: memory only. */
  readonly dataDir?: string;
  /** Epoch milliseconds; injected for tests of visibility, locks and expiry. Default `Date.now`. */
  readonly now?: () => number;
}

export interface Emulator {
  /** What a client is configured with: an http:// URL, or a Service Bus connection string. */
  readonly endpoint: string;
  readonly port: number;
  readonly faults: Faults;
  /** Stops listening, drops every connection, and leaves the data ready for the next start. */
  close(): Promise<void>;
}
