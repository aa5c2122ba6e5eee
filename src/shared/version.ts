/** Which release this code is: fixed when it is bundled (`custom.esbuild.define`), so an artefact carries its own name. */

declare const TANDEM_VERSION: string | undefined;

/** `unreleased` when it was built from the sources as they are, as `npm start` does. */
export const version = typeof TANDEM_VERSION === 'string' ? TANDEM_VERSION : 'unreleased';
