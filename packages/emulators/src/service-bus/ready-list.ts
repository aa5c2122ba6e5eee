/**
 * The messages that wait for a receiver, in order of sequence number.
 *
 * Invariant: `takeFirst` gives the lowest number, also after an abandoned message came back. Adding at the end
 * and taking from the front cost the same however long the list is: a backlog is when speed matters.
 */
import type { Message } from './message.ts';

/** How many taken slots may lead the array before it is cut. */
const SLACK_MAX = 1024;

/** An ordered queue of messages. */
export class ReadyList {
  #items: (Message | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  get first(): Message | undefined {
    return this.#items[this.#head];
  }

  /** Puts a message at its place. */
  add(message: Message): void {
    const last = this.#items.at(-1);
    if (this.size === 0 || last === undefined || last.sequence < message.sequence) {
      this.#items.push(message);
      return;
    }
    const place = this.#placeOf(message.sequence);
    if (place === this.#head && this.#head > 0) {
      this.#head -= 1;
      this.#items[this.#head] = message;
    } else {
      this.#items.splice(place, 0, message);
    }
  }

  takeFirst(): Message | undefined {
    const message = this.first;
    if (message === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > SLACK_MAX && this.#head * 2 > this.#items.length) this.#cut();
    return message;
  }

  /** Takes out every message that matches. */
  removeWhere(matches: (message: Message) => boolean): Message[] {
    const removed: Message[] = [];
    this.#cut();
    this.#items = this.#items.filter((message) => {
      if (message === undefined || !matches(message)) return true;
      removed.push(message);
      return false;
    });
    return removed;
  }

  #cut(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** Binary search for the first place whose message has a higher number. */
  #placeOf(sequence: number): number {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle]?.sequence ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
