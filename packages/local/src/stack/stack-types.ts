/** Type errors on the screen of `npm start`. */
import { CODE_FOLDERS } from '../code/code-source.ts';
import { TypeCheck } from '../types/type-check.ts';
import type { Output } from './output.ts';
import { commonEnvironment, type TopologyInput } from './topology.ts';

/** The rest of a long list is a number. */
const LINES_MAX = 10;

export function typeCheck(topology: TopologyInput, output: Output): TypeCheck {
  return new TypeCheck({
    projectDir: topology.projectDir,
    folders: CODE_FOLDERS,
    env: commonEnvironment(topology),
    onReport: ({ problems, isMended }) => {
      if (isMended) output.print('The types are right again.');
      if (problems.length === 0) return;
      output.problem('The types are wrong; what is served is what was written:');
      for (const line of problems.slice(0, LINES_MAX)) output.print(`    ${line}`);
      const rest = problems.length - LINES_MAX;
      if (rest > 0) output.print(`    and ${rest} more: npm run typecheck`);
    },
    onProblem: (why) => output.problem(`warning: types are not checked from now on: ${why}`),
  });
}
