/** Where a file says what is wrong in it. Loaded when something is: the TypeScript parser takes longer than the rest. */
import ts from 'typescript';

const DECLARES = new Set(['defineEntity', 'defineRoutes']);

/** From 1, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * @param at The names that lead to it in the object that `defineEntity` or `defineRoutes` is called with; as far as they lead is where it is.
 * @param word A name or a text that is meant in what is there.
 */
export function placeIn(text: string, at: readonly string[], word = ''): Place {
  const source = ts.createSourceFile('declaration.ts', text, ts.ScriptTarget.Latest);
  const call = find(source, isDeclaration);
  if (call === undefined) return { line: 1, column: 1 };
  const constants = constantsIn(source);
  let node: ts.Node = call;
  let value = valueOf(call.arguments[0], constants);
  for (const name of [...at, word]) {
    const member = memberOf(value, name, constants);
    if (member === undefined) break;
    node = member;
    value = valueOf(ts.isPropertyAssignment(member) ? member.initializer : member, constants);
  }
  return placeOf(source, node.getStart(source));
}

/** Of everything in a file that is no TypeScript: `3:14: Expression expected.` */
export function syntaxMistakes(text: string): readonly (Place & { readonly detail: string })[] {
  const { diagnostics = [] } = ts.transpileModule(text, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  const source = ts.createSourceFile('declaration.ts', text, ts.ScriptTarget.Latest);
  return diagnostics.map(({ start = 0, messageText }) => ({
    ...placeOf(source, start),
    detail: ts.flattenDiagnosticMessageText(messageText, ' '),
  }));
}

function placeOf(source: ts.SourceFile, position: number): Place {
  const { line, character } = source.getLineAndCharacterOfPosition(position);
  return { line: line + 1, column: character + 1 };
}

function isDeclaration(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && ts.isIdentifier(node.expression) && DECLARES.has(node.expression.text);
}

function find<T extends ts.Node>(node: ts.Node, is: (node: ts.Node) => node is T): T | undefined {
  return is(node) ? node : ts.forEachChild(node, (child) => find(child, is));
}

type Constants = ReadonlyMap<string, ts.Expression>;

function constantsIn(source: ts.SourceFile): Constants {
  const declared = source.statements.filter(ts.isVariableStatement);
  return new Map(
    declared
      .flatMap(({ declarationList }) => declarationList.declarations)
      .flatMap(({ name, initializer }) =>
        ts.isIdentifier(name) && initializer !== undefined ? [[name.text, initializer]] : [],
      ),
  );
}

/** What an expression is, without casts, and with constants of the file in place of their names. */
function valueOf(node: ts.Node | undefined, constants: Constants): ts.Node | undefined {
  if (node === undefined) return undefined;
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node))
    return valueOf(node.expression, constants);
  const constant = ts.isIdentifier(node) ? constants.get(node.text) : undefined;
  return constant === undefined ? node : valueOf(constant, constants);
}

function memberOf(value: ts.Node | undefined, name: string, constants: Constants): ts.Node | undefined {
  if (value === undefined) return undefined;
  if (ts.isArrayLiteralExpression(value))
    return value.elements.find((element) => {
      const text = valueOf(element, constants);
      return text !== undefined && ts.isStringLiteralLike(text) && text.text === name;
    });
  if (!ts.isObjectLiteralExpression(value)) return undefined;
  const own = value.properties.find(
    ({ name: key }) => key !== undefined && 'text' in key && key.text === name,
  );
  if (own !== undefined) return own;
  for (const property of value.properties) {
    const spread = ts.isSpreadAssignment(property) ? valueOf(property.expression, constants) : undefined;
    const found = memberOf(spread, name, constants);
    if (found !== undefined) return found;
  }
  return undefined;
}
