'use strict';
/**
 * Repairs 5 to 7: function.json. The plugin writes only the settings that its table of 2019 lists for a binding and
 * drops the others silently; look at any function.json in the package.
 */
const { bindings } = require('serverless-azure-functions/lib/shared/bindings.json');

/** @param {string} type @param {readonly string[]} names */
function addSettings(type, names) {
  const binding = bindings.find((candidate) => candidate.type === type);
  for (const name of names) {
    if (!binding.settings.some((setting) => setting.name === name)) binding.settings.push({ name });
  }
}

/**
 * Without `cardinality` a function gets one message at a time; without `dataType` the host parses JSON and fails a
 * batch with a malformed message. `accessRights` is of the extension's version 1 and no longer means anything.
 */
exports.keepServiceBusSettings = () => {
  const trigger = bindings.find((binding) => binding.type === 'serviceBusTrigger');
  trigger.settings = trigger.settings.filter((setting) => setting.name !== 'accessRights');
  addSettings('serviceBusTrigger', ['cardinality', 'dataType', 'isSessionsEnabled', 'autoCompleteMessages']);
};

/** `runOnStartup` and `useMonitor` of a timer. */
exports.keepTimerSettings = () => addSettings('timerTrigger', ['runOnStartup', 'useMonitor']);

/** The output is called `res`, so what a handler returns is thrown away and every answer is an empty 200 or 204. */
exports.returnHttpResponses = () => {
  const { BindingUtils } = require('serverless-azure-functions/lib/shared/bindings');
  BindingUtils.getHttpOutBinding = () => ({ type: 'http', direction: 'out', name: '$return' });
};
