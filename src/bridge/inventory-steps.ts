/** Takes steps of inventories (`replication/objects/inventory.ts`), one a message, beside the reactions of the same queue. */
import { dead } from '@tandem-clouds/replication/dispositions';
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import { takeInventory } from '@tandem-clouds/replication/objects/inventory';
import type { InventoryStep } from '@tandem-clouds/replication/objects/inventory-step';
import type { Disposition, QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { Site } from '@tandem-clouds/replication/protocol';
import { driveReact, type Driving } from '@tandem-clouds/replication/reactions/drive-react';
import { sha256 } from '../shared/digest.ts';
import { inventoryParts } from '../shared/domain/content-inventory.ts';
import type { Entity } from '../shared/domain/entity.ts';
import { sendInventory } from '../shared/inventory-message.ts';
import type { Logger } from '../shared/ports/telemetry.ts';

interface Inventories {
  readonly site: Site;
  readonly entities: readonly Entity[];
  /** Where the next step goes. */
  readonly queue: QueueSender;
  readonly logger: Logger;
}

/** One step, and the message that goes on with it. */
export function inventorySteps({
  site,
  entities,
  queue,
  logger,
}: Inventories): (step: InventoryStep, driving: Driving, endsMs: number) => Promise<Disposition> {
  const parts = inventoryParts(entities, sha256);
  return async (step, driving, endsMs) => {
    // Another release may have begun it.
    if (parts === undefined) return { kind: 'done' };
    try {
      const goesOn = (): boolean => site.now() < endsMs;
      const next = await driveReact(takeInventory(site, step, { ...parts, goesOn }), driving);
      if (next !== undefined) await sendInventory(queue, next);
      else logger.log('info', 'inventory ended', { id: step.id });
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.log(error.retryable ? 'warn' : 'error', 'no inventory', { id: step.id, error: String(error) });
      return isRetryable(error) ? { kind: 'retry', error } : dead(error);
    }
  };
}
