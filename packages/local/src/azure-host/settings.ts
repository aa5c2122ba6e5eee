/**
 * App settings of a local run: those of serverless.azure.yml, each replaced by a variable of the environment of the
 * same name. Names that only the ARM template knows have no local value and are left out, unless one is given.
 */

type Declared = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** A value that Resource Manager would evaluate. */
const EXPRESSION = /^\[\w+\(.*\)\]$/;

/**
 * @param declared `provider.environment` of the service.
 * @param environment Usually `process.env`; may also hold what a real site does without: COSMOS_KEY,
 *   SERVICE_BUS_CONNECTION (also used for the triggers' connection, `ServiceBus`) and SERVICE_BUS_CONTROL_URL.
 */
export function localSettings(declared: Declared, environment: Environment): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(declared)) {
    const text = environment[name] ?? String(value);
    if (!EXPRESSION.test(text)) settings[name] = text;
  }
  const triggers = environment['ServiceBus'] ?? environment['SERVICE_BUS_CONNECTION'];
  if (triggers !== undefined) settings['ServiceBus'] = triggers;
  return settings;
}
