'use strict';
/**
 * `TANDEM_OWN_SETTINGS` of both definitions: the settings of src/shared/config/own-settings.ts that the environment of
 * whoever deploys has, as a JSON object of variables. What is not there has its default, or is missed at cold start by name.
 */
module.exports = async () => {
  const { ownSettings } = await import('../../src/shared/config/own-settings.ts');
  const { ownMistakes } = await import('../../src/shared/config/own-setting.ts');
  const mistakes = ownMistakes(ownSettings);
  if (mistakes.length > 0) throw new Error(`own-settings.ts: ${mistakes.join('; ')}`);
  const names = Object.values(ownSettings).map(({ env }) => env);
  const given = names.filter((name) => (process.env[name] ?? '') !== '');
  return JSON.stringify(Object.fromEntries(given.map((name) => [name, process.env[name]])));
};
