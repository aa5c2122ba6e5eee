/** checkov over the Azure template with its expressions evaluated, with every feature off and with every feature on. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Check } from './check.ts';
import { installPythonTools, pythonTool } from './python-tools.ts';

const ROOT = path.join(import.meta.dirname, '../..');

function checkOf(title: string, flags: readonly string[], config: string): Check {
  return {
    name: `checkov, Azure, ${title}`,
    run: () => {
      installPythonTools();
      const evaluate = spawnSync(process.execPath, ['scripts/tandem.ts', 'azure-template', ...flags], {
        cwd: ROOT,
        encoding: 'utf8',
      });
      if (evaluate.status !== 0) return Promise.resolve([evaluate.stderr.trim()]);
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lint-infra-'));
      try {
        const file = path.join(dir, 'template.json');
        fs.writeFileSync(file, evaluate.stdout);
        const { ok, output } = pythonTool('checkov', ['-f', file, '--config-file', config]);
        return Promise.resolve(ok ? [] : [output.trim()]);
      } finally {
        fs.rmSync(dir, { recursive: true });
      }
    },
  };
}

export const azureChecks: readonly Check[] = [
  checkOf('no features', [], 'infra/lint/checkov-azure.yml'),
  checkOf('every feature', ['all'], 'infra/lint/checkov-azure-all.yml'),
];
