/** The variables of a service definition in `process.env`, which all functions of a process share. */

export type Variables = Readonly<Record<string, string>>;

/** Evaluates code that is not served yet with the variables that it will have; what is served sees nothing of them. */
export function withEnvironment<Result>(variables: Variables, evaluate: () => Result): Result {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return evaluate();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

/** What the definition before declared and this one does not is again as the process was started. */
export function replaceEnvironment(
  before: Variables,
  now: Variables,
  outside: Readonly<NodeJS.ProcessEnv>,
): void {
  for (const name of Object.keys(before)) if (!(name in now)) set(name, outside[name]);
  Object.assign(process.env, now);
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
