/** cfn-lint and checkov over the packaged AWS template, with every feature off and with every feature on. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { awsFeatures, awsParams, awsTemplate } from './aws-template.ts';
import type { Check } from './check.ts';
import { installPythonTools, pythonTool, type ToolResult } from './python-tools.ts';

type Lint = (file: string) => ToolResult;

const cfnLint: Lint = (file) =>
  pythonTool('cfn-lint', ['--config-file', 'infra/lint/cfn-lint.yml', '--', file]);
const checkov: Lint = (file) =>
  pythonTool('checkov', ['--config-file', 'infra/lint/checkov.yml', '-f', file]);

function checksOf(title: string, params: readonly string[]): Check[] {
  // Both linters read the same template; it is packaged once.
  let text: Promise<string> | undefined;
  const check = (name: string, lint: Lint): Check => ({
    name: `${name}, AWS, ${title}`,
    run: async () => {
      installPythonTools();
      text ??= awsTemplate(params).then(({ template }) => template);
      const template = await text;
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lint-infra-'));
      try {
        const file = path.join(dir, 'template.json');
        fs.writeFileSync(file, template);
        const { ok, output } = lint(file);
        return ok ? [] : [output.trim()];
      } finally {
        fs.rmSync(dir, { recursive: true });
      }
    },
  });
  return [check('cfn-lint', cfnLint), check('checkov', checkov)];
}

export const awsChecks: readonly Check[] = [
  ...checksOf('no peers and no features', []),
  ...checksOf('two peers and every feature', awsParams(awsFeatures)),
  {
    name: 'cfn-lint, AWS, deploying from GitHub',
    run: () => {
      installPythonTools();
      const { ok, output } = cfnLint('infra/aws/github-oidc.yml');
      return Promise.resolve(ok ? [] : [output.trim()]);
    },
  },
];
