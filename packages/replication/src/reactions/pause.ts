/**
 * Pauses of reactions: in the record of what the site has paused (`paused-peers.ts`), under names that no site has. A release
 * that knows nothing of reactions takes them for peers that it does not have.
 */

/** The name under which a reaction is paused. */
export function reactionPause(entity: string, reaction: string): string {
  return `reaction:${entity}.${reaction}`;
}
