/** Zones for tests of the DNS server. */
import type { HealthCheck, PlainRecord, RoutedRecord, Strategy, Target } from '@tandem-clouds/zone/model';
import type { TestOrigin } from './origin.ts';

export const ZONE = 'tandem.test';
export const API = `api.${ZONE}`;

/** Short, so that a test need not wait. */
export function checkOf(origin: TestOrigin, check: Partial<HealthCheck> = {}): HealthCheck {
  return {
    protocol: 'http',
    host: origin.url.hostname,
    port: Number(origin.url.port),
    path: '/health/deep',
    intervalSeconds: 0.05,
    failureThreshold: 2,
    ...check,
  };
}

export function target(site: string, address: string, more: Partial<Target> = {}): Target {
  return { site, values: [address], ...more };
}

export function routed(
  strategy: Strategy,
  targets: readonly Target[],
  more: Partial<RoutedRecord> = {},
): RoutedRecord {
  return { kind: 'routed', name: API, type: 'A', ttlSeconds: 10, strategy, targets, ...more };
}

export function plain(name: string, type: PlainRecord['type'], ...values: readonly string[]): PlainRecord {
  return { kind: 'plain', name, type, ttlSeconds: 60, values };
}
