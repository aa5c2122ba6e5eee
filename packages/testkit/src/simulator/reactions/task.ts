/** What is reacted to in the simulator: one entity with every kind of reaction, declared as any other. */
import { defineEntity } from '../../../../../src/shared/domain/define-entity.ts';
import type { Values } from '../../../../../src/shared/domain/entity.ts';

const number = { type: 'integer' } as const;
const written = { type: 'integer', by: ['client', 'reaction'] } as const;

/** The simulator does the effects itself, at once and on virtual time. */
const simulated = (): Promise<never> => Promise.reject(new Error('the simulator does the effects'));
const inSight = { run: simulated, lookup: simulated } as const;

export const task = defineEntity({
  name: 'task',
  collection: 'tasks',
  idField: 'taskId',
  description: 'Something that sites react to',
  required: [],
  fields: {
    order: number,
    mailed: written,
    left: number,
    right: number,
    joined: written,
    due: number,
    reminded: written,
    bad: number,
    fixed: written,
    ball: written,
    job: number,
    sent: written,
    note: number,
  },
  reactions: {
    /** A mail for each order: its condition compares with what it was done for. */
    mail: { on: ['order'], when: ({ order, mailed }) => order !== undefined && order !== mailed, ...inSight },
    /** What two sites write makes it true together; its provider cannot be asked. */
    join: {
      on: ['left', 'right'],
      when: ({ left, right, joined }) => left !== undefined && left === right && left !== joined,
      run: simulated,
    },
    remind: {
      on: ['due'],
      when: ({ due, reminded }) => (due === undefined || due === reminded ? false : due),
      ...inSight,
    },
    /** Does not say what it was done for, so one site alone may write it. */
    ship: { on: ['job'], when: ({ job, sent }) => job !== undefined && sent !== 1, ...inSight },
    /** Never succeeds. */
    fix: { on: ['bad'], when: ({ bad, fixed }) => bad !== undefined && bad !== fixed, ...inSight },
    /** Two that wake each other for ever. */
    ping: { on: ['ball'], when: ({ ball = 0 }) => ball % 2 === 1, ...inSight },
    pong: { on: ['ball'], when: ({ ball = 0 }) => ball > 0 && ball % 2 === 0, ...inSight },
    copy: {
      on: ['order', 'note'],
      site: 'every',
      when: ({ order, note }) => order !== undefined || note !== undefined,
      run: simulated,
    },
  },
  example: {},
});

/** What each returns, from the record that it was run for. */
export const RESULTS: Readonly<Record<string, (record: Values) => Readonly<Record<string, number>>>> = {
  mail: ({ order }) => ({ mailed: Number(order) }),
  join: ({ left }) => ({ joined: Number(left) }),
  remind: ({ due }) => ({ reminded: Number(due) }),
  ship: () => ({ sent: 1 }),
  fix: ({ bad }) => ({ fixed: Number(bad) }),
  ping: ({ ball }) => ({ ball: Number(ball) + 1 }),
  pong: ({ ball }) => ({ ball: Number(ball) + 1 }),
};
