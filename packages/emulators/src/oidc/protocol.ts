/** What the local issuer and those who ask it agree on; by itself, because the issuer loads a library that they do not need. */
export const AUDIENCE = 'tandem';
export const TOKEN_PATH = '/oauth2/token';
