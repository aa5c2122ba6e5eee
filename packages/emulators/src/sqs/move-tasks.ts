/**
 * StartMessageMoveTask: redriving a dead-letter queue in the background, as fast as it can or at a fixed rate.
 *
 * Invariant: a task moves only what was in the queue when it started, so a message that fails again is not carried
 * round for ever. A task that was running when the process died goes on at the next start.
 *
 * A redriven message is a new one: new id, new time of sending.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
 */
import { randomUUID } from 'node:crypto';
import { redrivePolicyOf } from './attributes.ts';
import { invalidParameter, SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Message } from './message.ts';
import type { MoveTask } from './move-task.ts';
import type { Queue } from './queue.ts';
import { sequenceNumberOf } from './send.ts';
import type { SqsStore } from './store.ts';

export interface MoveTaskRequest {
  readonly SourceArn?: string;
  readonly DestinationArn?: string;
  readonly MaxNumberOfMessagesPerSecond?: number;
}

/** Messages moved in one turn of the event loop. */
const CHUNK = 100;
const UNPACED_MS = 1;
const PACE_MS = 100;

/** Starts, paces, resumes and cancels the tasks of one emulator. */
export class MoveTasks {
  readonly #store: SqsStore;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(store: SqsStore) {
    this.#store = store;
    for (const task of store.tasks) {
      if (task.status === 'RUNNING') this.#schedule(task);
    }
  }

  start(request: MoveTaskRequest): { TaskHandle: string } {
    const { source, destination } = this.#resolve(request);
    const rate = request.MaxNumberOfMessagesPerSecond;
    if (rate !== undefined && !(Number.isInteger(rate) && rate >= 1 && rate <= LIMITS.moveTaskRateMax)) {
      throw invalidParameter('MaxNumberOfMessagesPerSecond', rate, `Must be 1 to ${LIMITS.moveTaskRateMax}.`);
    }
    this.#store.settle(source);
    const task: MoveTask = {
      handle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: source.arn })).toString('base64'),
      sourceArn: source.arn,
      ...(destination !== undefined && { destinationArn: destination.arn }),
      ...(rate !== undefined && { messagesPerSecond: rate }),
      status: 'RUNNING',
      moved: 0,
      toMove: source.visible.length,
      startedAt: this.#store.now(),
      keyLimit: this.#store.takeKey(),
    };
    this.#store.saveTask(task);
    this.#schedule(task);
    return { TaskHandle: task.handle };
  }

  list(sourceArn: string | undefined, max = 1): unknown {
    if (this.#store.byArn(sourceArn) === undefined) throw noSuchQueue();
    if (max < 1 || max > LIMITS.listMoveTasksMax) {
      throw invalidParameter('MaxResults', max, `Must be 1 to ${LIMITS.listMoveTasksMax}.`);
    }
    const tasks = this.#store.tasks.filter((task) => task.sourceArn === sourceArn);
    tasks.sort((a, b) => b.startedAt - a.startedAt);
    return { Results: tasks.slice(0, max).map(describe) };
  }

  cancel(handle: string | undefined): unknown {
    const task = this.#store.tasks.find((candidate) => candidate.handle === handle);
    if (task === undefined) throw new SqsError('ResourceNotFoundException', 'Task does not exist.');
    if (task.status !== 'RUNNING') {
      throw new SqsError('UnsupportedOperation', 'Only active tasks can be cancelled.');
    }
    clearTimeout(this.#timers.get(task.handle));
    this.#store.saveTask({ ...task, status: 'CANCELLED' });
    return { ApproximateNumberOfMessagesMoved: task.moved };
  }

  /** Stops the timers; running tasks stay marked as running. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #resolve(request: MoveTaskRequest): { source: Queue; destination: Queue | undefined } {
    const source = this.#store.byArn(request.SourceArn);
    if (source === undefined) throw noSuchQueue();
    const destination = this.#store.byArn(request.DestinationArn);
    if (request.DestinationArn !== undefined && destination === undefined) throw noSuchQueue();
    const isDeadLetterQueue = [...this.#store.queues.values()].some(
      (queue) => redrivePolicyOf(queue)?.deadLetterTargetArn === source.arn,
    );
    if (!isDeadLetterQueue) {
      throw new SqsError(
        'InvalidParameterValueException',
        'Source queue must be configured as a Dead Letter Queue.',
      );
    }
    const isBusy = this.#store.tasks.some(
      (task) => task.sourceArn === source.arn && task.status === 'RUNNING',
    );
    if (isBusy) {
      throw new SqsError('UnsupportedOperation', 'There is already a task running for this source queue.');
    }
    return { source, destination };
  }

  #schedule(task: MoveTask): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(task.handle);
        const next = this.#advance(task);
        this.#store.saveTask(next);
        if (next.status === 'RUNNING') this.#schedule(next);
      },
      task.messagesPerSecond === undefined ? UNPACED_MS : PACE_MS,
    );
    this.#timers.set(task.handle, timer.unref());
  }

  #advance(task: MoveTask): MoveTask {
    const source = this.#store.byArn(task.sourceArn);
    if (source === undefined)
      return { ...task, status: 'FAILED', failureReason: 'AWS.SimpleQueueService.NonExistentQueue' };
    this.#store.settle(source);
    const candidates = source.visible
      .filter((message) => message.key < task.keyLimit)
      .slice(0, allowance(task, this.#store.now()));
    for (const message of candidates) {
      const target = this.#store.byArn(task.destinationArn ?? message.deadLetterSourceArn);
      if (target === undefined) {
        return { ...task, status: 'FAILED', failureReason: 'CouldNotDetermineMessageSource' };
      }
      this.#store.transfer(source, [message.key], target, [renewed(this.#store, target, message)]);
      task = { ...task, moved: task.moved + 1 };
    }
    const isDone = !source.visible.some((message) => message.key < task.keyLimit);
    return isDone ? { ...task, status: 'COMPLETED' } : task;
  }
}

/** How many messages the rate lets a task move now. */
function allowance(task: MoveTask, now: number): number {
  if (task.messagesPerSecond === undefined) return CHUNK;
  const due = Math.floor(((now - task.startedAt) / 1000) * task.messagesPerSecond);
  return Math.max(0, due - task.moved);
}

function renewed(store: SqsStore, target: Queue, message: Message): Message {
  const key = store.takeKey();
  const { body, attributes, traceHeader, groupId, deduplicationId } = message;
  return {
    key,
    id: randomUUID(),
    body,
    sentAt: store.now(),
    receiveCount: 0,
    ...(attributes !== undefined && { attributes }),
    ...(traceHeader !== undefined && { traceHeader }),
    ...(groupId !== undefined && { groupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
    ...(target.isFifo && { sequenceNumber: sequenceNumberOf(key) }),
  };
}

/** The handle is shown while it can be used, that is while the task runs. */
function describe(task: MoveTask): unknown {
  return {
    ...(task.status === 'RUNNING' && { TaskHandle: task.handle }),
    Status: task.status,
    SourceArn: task.sourceArn,
    ...(task.destinationArn !== undefined && { DestinationArn: task.destinationArn }),
    ...(task.messagesPerSecond !== undefined && { MaxNumberOfMessagesPerSecond: task.messagesPerSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(task.failureReason !== undefined && { FailureReason: task.failureReason }),
    StartedTimestamp: task.startedAt,
  };
}

function noSuchQueue(): SqsError {
  return new SqsError(
    'ResourceNotFoundException',
    "The resource that you specified for the SourceArn or DestinationArn parameter doesn't exist.",
  );
}
