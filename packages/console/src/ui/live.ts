/** What is going on, as the console's server sends it every second. */
import { computed, signal } from '@preact/signals';
import type { ConsoleFacts } from '../server/api.ts';
import type { Look, Point } from '../server/watch.ts';
import { ask } from './api.ts';

/** As many as the server keeps: a page that stays open for a day has no more. */
const POINTS_MAX = 600;

export const facts = signal<ConsoleFacts | undefined>(undefined);
export const look = signal<Look | undefined>(undefined);
export const points = signal<readonly Point[]>([]);
/** False while the console's server does not send. */
export const isLive = signal(false);

/** The sites by name: of the facts, and of what has answered since. */
export const siteNames = computed<readonly string[]>(() => {
  const named = facts.value?.sites.map(({ site }) => site) ?? [];
  const answering = look.value?.reports.flatMap(({ site }) => site ?? []) ?? [];
  return [...new Set([...named, ...answering])];
});

/** Sites that answered the latest look. */
export const answering = computed<readonly string[]>(
  () => look.value?.reports.flatMap(({ site, replication }) => (replication && site) ?? []) ?? [],
);

/** @returns What is to be called to hear no more. */
export function listen(): () => void {
  const source = new EventSource('/api/live');
  source.addEventListener('open', () => {
    isLive.value = true;
    void learn();
  });
  source.addEventListener('error', () => (isLive.value = false));
  source.addEventListener('points', ({ data }: MessageEvent<string>) => {
    points.value = JSON.parse(data) as Point[];
  });
  source.addEventListener('look', ({ data }: MessageEvent<string>) => {
    const found = JSON.parse(data) as Look;
    look.value = found;
    const last = points.value.at(-1);
    if (last === undefined || last.atMs < found.point.atMs)
      points.value = [...points.value, found.point].slice(-POINTS_MAX);
  });
  return () => source.close();
}

async function learn(): Promise<void> {
  try {
    facts.value = await ask<ConsoleFacts>('/api/console');
  } catch {
    // With the next connection.
  }
}
