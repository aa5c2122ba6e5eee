/**
 * The declarations that the product comes with, and those that its user has added. A test that declares something itself does
 * so in a copy without the user's: whatever they are called, they are in no test's way.
 */
import fs from 'node:fs';
import path from 'node:path';

/** Folder → files of the product in it. */
const SHIPPED: Readonly<Record<string, readonly string[]>> = {
  'src/shared/entities': [
    'movement.ts',
    'notification.ts',
    'object.ts',
    'order.ts',
    'picture.ts',
    'product.ts',
    'stock.ts',
    'suppression.ts',
    'thumbnail.ts',
    'user.ts',
  ],
  'src/shared/routes': [
    'README.md',
    'analytics.ts',
    'availability.ts',
    'inventory.ts',
    'ledger.ts',
    'notifications.ts',
    'payments.ts',
    'unsubscribe.ts',
  ],
  'tests/unit/entities': [],
};

/** Takes the user's declarations out of a copy of the project; what was generated from them is left to the generator. */
export function removeOwnDeclarations(dir: string): void {
  for (const [folder, shipped] of Object.entries(SHIPPED)) {
    const there = path.join(dir, folder);
    const names = fs.existsSync(there) ? fs.readdirSync(there) : [];
    for (const name of names)
      if (!shipped.includes(name)) fs.rmSync(path.join(there, name), { recursive: true });
  }
}
