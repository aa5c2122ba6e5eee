/** The message that goes on with an inventory: its next step, in the queue of the function that has the storages. */
import type { InventoryStep } from '@tandem-clouds/replication/objects/inventory-step';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';

/** @throws the queue's error when it did not take it */
export async function sendInventory(queue: QueueSender, step: InventoryStep): Promise<void> {
  const [error] = await queue.send([{ id: 'inventory', body: JSON.stringify({ inventory: step }) }]);
  if (error !== undefined) throw error;
}

/** The step that a message holds; undefined: it is no such message. Nobody but this site sends to the queue. */
export function inventoryIn(body: string): InventoryStep | undefined {
  try {
    const { inventory } = JSON.parse(body) as { inventory?: Partial<InventoryStep> };
    const isStep =
      typeof inventory?.id === 'string' &&
      typeof inventory.site === 'string' &&
      typeof inventory.atMs === 'number' &&
      (inventory.phase === 'records' || inventory.phase === 'names') &&
      typeof inventory.counts === 'object' &&
      typeof inventory.sums === 'object';
    return isStep ? (inventory as InventoryStep) : undefined;
  } catch {
    return undefined;
  }
}
