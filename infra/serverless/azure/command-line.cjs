'use strict';
/** Repairs 3 and 4: the command line. */

const FLAGS = new Set(['dryrun', 'arm', 'nocleanup', 'force', 'help']);
const CHATTER = /^(Parsing Azure Functions Bindings|Building binding for function|Initializing provider)/;

/** @param {Record<string, any> | undefined} commands */
function addTypes(commands) {
  for (const command of Object.values(commands ?? {})) {
    for (const [name, option] of Object.entries(command.options ?? {})) {
      option.type ??= FLAGS.has(name) ? 'boolean' : 'string';
    }
    addTypes(command.commands);
  }
}

/** The CLI insists on a type for every option, which plugins of version 1 did not give: it refuses to start. */
exports.typeCommandOptions = (serverless) => {
  const { pluginManager } = serverless;
  const { loadCommands } = pluginManager;
  pluginManager.loadCommands = function loadTypedCommands(plugin) {
    addTypes(plugin.commands);
    return loadCommands.call(this, plugin);
  };
};

/** Two lines for each function about nothing, at every start. */
exports.keepQuiet = (serverless) => {
  const { cli } = serverless;
  const { log } = cli;
  cli.log = function logWhatMatters(message, ...rest) {
    if (!CHATTER.test(message)) log.call(this, message, ...rest);
  };
};
