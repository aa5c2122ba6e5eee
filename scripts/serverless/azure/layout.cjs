'use strict';
/** Repairs 8 to 13: where files go. */
const fs = require('node:fs');
const path = require('node:path');

/** serverless-esbuild builds AWS and Azure, and every offline site, into one folder; each gets its own. */
exports.buildInto = (serverless, folder) => {
  Object.assign((serverless.service.custom.esbuild ??= {}), {
    outputWorkFolder: folder,
    outputBuildFolder: 'app',
    keepOutputDirectory: true,
  });
};

/** function.json names `users.js` whatever the bundler writes: the host finds no such file and loads no function. */
exports.nameScriptsLikeBundles = (serverless) => {
  const { constants } = require('serverless-azure-functions/lib/shared/constants');
  constants.runtimeExtensions.nodejs = serverless.service.custom.esbuild.outputFileExtension ?? '.js';
};

/**
 * The plugin makes a folder per function in the root of the project, which serverless-esbuild does not pack. Here
 * function.json and host.json go straight where the bundles are, in a folder emptied of what an earlier run left.
 */
exports.writeBindingsBesideBundles = ({ serverless, appDir }) => {
  const { PackageService } = require('serverless-azure-functions/lib/services/packageService');
  const { createBindings } = PackageService.prototype;
  PackageService.prototype.makeFunctionDir = (name) => {
    const folder = path.join(appDir, name);
    fs.mkdirSync(folder, { recursive: true });
    return folder;
  };
  PackageService.prototype.createBindings = async function createBindingsInEmptyFolder(offline) {
    fs.rmSync(appDir, { recursive: true, force: true });
    fs.mkdirSync(appDir, { recursive: true });
    await createBindings.call(this, offline);
    fs.copyFileSync(path.join(serverless.serviceDir, 'host.json'), path.join(appDir, 'host.json'));
  };
};

/**
 * After packaging, the plugin deletes `bin`, `obj`, `.funcignore` and every function's folder in the root of the
 * project; before, all of `.serverless`, another service's package included; offline, it writes local.settings.json.
 */
exports.leaveSourceTreeAlone = () => {
  const { PackageService } = require('serverless-azure-functions/lib/services/packageService');
  const { OfflineService } = require('serverless-azure-functions/lib/services/offlineService');
  PackageService.prototype.cleanUp = () => Promise.resolve();
  PackageService.prototype.cleanUpServerlessDir = () => undefined;
  OfflineService.prototype.build = function buildBindings() {
    return this.packageService.createBindings(true);
  };
};

/** serverless-esbuild moves the zip to `.serverless`, which belongs to AWS; it stays beside the unpacked app. */
exports.keepArtefactTogether = ({ serverless, workDir }) => {
  const EsbuildPlugin = require('serverless-esbuild');
  EsbuildPlugin.prototype.moveArtifacts = async () => {
    const zip = path.join(workDir, `${serverless.service.service}.zip`);
    fs.renameSync(path.join(workDir, '.serverless', path.basename(zip)), zip);
    fs.rmSync(path.join(workDir, '.serverless'), { recursive: true, force: true });
    // The framework reads the first, the Azure plugin the second.
    serverless.service.package.artifact = zip;
    serverless.service.artifact = zip;
  };
};
