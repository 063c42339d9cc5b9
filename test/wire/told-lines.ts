import type { PluginLogLine } from "@flotilla/host";

import type { Session } from "./workspace.ts";
import { until } from "./until.ts";

/**
 * The lines of a plugin's log whose message matches, once there are so many: a line comes by another pipe than the
 * answer of the call that it belongs to, and may come behind it.
 */
export async function toldLines(
  { lines }: Pick<Session, "lines">,
  message: RegExp,
  atLeast = 1,
): Promise<readonly PluginLogLine[]> {
  const told = (): readonly PluginLogLine[] => lines.filter((line) => message.test(line.message));
  await until(`the log says ${message} ${atLeast} times`, () => told().length >= atLeast);
  return told();
}

/** The same for the lines of one level. */
export async function toldAt(
  { lines }: Pick<Session, "lines">,
  level: PluginLogLine["level"],
): Promise<readonly PluginLogLine[]> {
  const told = (): readonly PluginLogLine[] => lines.filter((line) => line.level === level);
  await until(`the log has a line at ${level}`, () => told().length > 0);
  return told();
}
