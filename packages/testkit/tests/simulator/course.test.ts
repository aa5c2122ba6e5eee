/** The course of a run: it is what it would have been without anybody who looks on, and it ends with nothing at risk. */
import { describe, expect, test } from '@jest/globals';
import { Course } from '../../src/simulator/course.ts';
import { courseSvg } from '../../src/simulator/course-svg.ts';
import { RUN, WORKLOADS } from '../../src/simulator/seeds.ts';

describe('the course of a run', () => {
  test.each(WORKLOADS)('of %s changes nothing of it, effect by effect', (workload) => {
    const course = new Course();
    const alone = RUN[workload]({ seed: 3, operations: 20 });
    expect(RUN[workload]({ seed: 3, operations: 20, course }).hash).toBe(alone.hash);
    expect(course.steps).toBeGreaterThan(0);
  });

  test('shows what is at risk and where sites differ, until the end, when there is neither', () => {
    const course = new Course();
    expect(RUN.records({ seed: 1, course }).findings).toEqual([]);
    const { samples } = course;
    expect(samples.length).toBeLessThanOrEqual(400);
    expect(samples.length).toBeGreaterThan(100);
    expect(Math.max(...samples.map(({ atRisk }) => atRisk))).toBeGreaterThan(0);
    expect(Math.max(...samples.map(({ differing }) => differing))).toBeGreaterThan(0);
    expect(samples.at(-1)).toMatchObject({ atRisk: 0, differing: 0 });
    expect(course.marks.map(({ text }) => text)).toEqual(['all faults end']);
    const steps = samples.map(({ step }) => step);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });

  test('is drawn with both, over its steps, and with when all faults ended', () => {
    const course = new Course();
    RUN.records({ seed: 1, course });
    const svg = courseSvg(course, { title: 'records, seed 1: 2 < 3' });
    expect(svg).toContain('<title>records, seed 1: 2 &lt; 3</title>');
    expect(svg).toContain('keys at risk');
    expect(svg).toContain('keys on which sites differ');
    expect(svg).toMatch(/>all faults end, [\d.]+ s</);
    expect(svg.match(/<path d="M/g)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('of a run in which nothing happens is drawn, too', () => {
    expect(courseSvg(new Course(), { title: 'none' })).not.toMatch(/NaN|undefined|Infinity/);
  });
});
