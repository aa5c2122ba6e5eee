/** What all servers of the bench are asked for. */
export const ZONE = 'tandem.test';
export const NAME = `api.${ZONE}`;
export const ADDRESSES = ['127.0.0.2', '127.0.0.3'] as const;
