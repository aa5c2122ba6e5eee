/**
 * Your own settings: this is the place. Each is a JSON Schema with the variable that it is read from, for example
 *
 *     mailFrom: {
 *       env: 'MAIL_FROM',
 *       description: 'Sender of every mail',
 *       type: 'string',
 *       minLength: 3,
 *       maxLength: 200,
 *       default: 'shop@example.com',
 *     },
 *
 * and is `services.config.mailFrom` in handlers and reactions, with its type. Without a `default` it must be given. After a
 * change: `npm run generate`. All mistakes are reported at once, at cold start; nothing secret belongs here (docs/handlers.md).
 */
import type { OwnConfigOf, OwnSettings } from './own-setting.ts';

export const ownSettings = {} as const satisfies OwnSettings;

// As long as there is no setting, there is nothing in it.
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type
export type OwnConfig = OwnConfigOf<typeof ownSettings>;
