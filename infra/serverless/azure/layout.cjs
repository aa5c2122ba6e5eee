'use strict';
/** Repairs 5 to 13: what a package is made of, and where files go. */
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

/**
 * The plugin knows function.json only, a folder of which it makes for every function in the root of the project. Here the
 * app registers its functions itself (programming model v4), and no function.json may be there: the host would ignore it.
 */
exports.writeAppInsteadOfBindings = async ({ serverless, appDir }) => {
  const { PackageService } = require('serverless-azure-functions/lib/services/packageService');
  const { writeAppFolder } = await import('@tandem-clouds/local/code/entry-point');
  PackageService.prototype.createBindings = async () => {
    writeAppFolder(appDir, {
      name: serverless.service.service,
      hostJson: path.join(serverless.serviceDir, 'host.json'),
    });
  };
};

/** serverless-esbuild makes a bundle per function, each with the vendor SDKs in it; the app has one. */
exports.bundleAsOneApp = async ({ serverless, offline }) => {
  const { bundleApp } = await import('@tandem-clouds/local/code/bundle-app');
  const { plugins } = serverless.pluginManager;
  const esbuild = plugins.find((plugin) => plugin.constructor.name === 'EsbuildServerlessPlugin');
  const { service } = serverless;
  bundleApp(esbuild, {
    serviceDir: serverless.serviceDir,
    // A function that a flag has switched off is null.
    functions: Object.fromEntries(Object.entries(service.functions).filter(([, one]) => one?.handler)),
    offline,
    name: service.service,
  });
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
