/** What a rehearsal showed, told while it runs and once more at its end. */

export type Cloud = 'aws' | 'azure';

interface Step {
  readonly cloud: Cloud;
  readonly title: string;
  readonly seconds: number;
  readonly failure?: string;
}

export interface Report {
  /**
   * Runs one step and says how it went. Lines that `work` returns are printed below it.
   * @throws What the step threw, after it was noted: the steps after it build on it.
   */
  step(cloud: Cloud, title: string, work: () => Promise<unknown>): Promise<void>;
  readonly steps: readonly Step[];
}

export function startReport(): Report {
  const steps: Step[] = [];
  return {
    steps,
    async step(cloud, title, work) {
      const started = performance.now();
      const seconds = (): number => (performance.now() - started) / 1000;
      try {
        const lines = await work();
        steps.push({ cloud, title, seconds: seconds() });
        console.log(`${cloud.padEnd(5)} ok      ${title} (${seconds().toFixed(1)} s)`);
        if (Array.isArray(lines)) for (const line of lines) console.log(`                ${String(line)}`);
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        steps.push({ cloud, title, seconds: seconds(), failure });
        console.log(`${cloud.padEnd(5)} FAILED  ${title}\n${failure}`);
        throw error;
      }
    },
  };
}

/** The table at the end. */
export function inTable({ steps }: Report): string {
  const rows = steps.map(
    ({ cloud, title, seconds, failure }) =>
      `| ${cloud.padEnd(5)} | ${failure === undefined ? 'ok    ' : 'FAILED'} | ${seconds.toFixed(1).padStart(6)} | ${title}`,
  );
  return ['| cloud | result | seconds | step', ...rows].join('\n');
}
