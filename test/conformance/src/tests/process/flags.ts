import { expect } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

/** Command lines of `velero server` from their third word on, and what else an operator may give it. */
const commandLines: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["no arguments", []],
  ["a flag with an equals sign", ["--no-such-flag=value", "--uploader-type=kopia"]],
  ["a flag with its value apart", ["--no-such-flag", "value", "--backup-sync-period", "1m"]],
  ["a flag without a value", ["--no-such-flag", "--default-volumes-to-fs-backup"]],
  ["a flag of one letter", ["-v", "4", "-v=4", "-n", "velero"]],
  ["words that are no flags", ["left", "over", ""]],
  ["a log format that plugins do not have", ["--log-format", "text", "--log-level", "warning"]],
  ["a log level that only the server has", ["--log-level=panic", "--features="]],
];

/** The server hands its own command line on. */
export const flagTests: readonly ConformanceTest[] = commandLines.map(([name, args]): ConformanceTest => ({
  id: `process/flags/${name.replaceAll(" ", "-")}`,
  title: `it starts with ${name}`,
  rule: "ignores-unknown-flags",
  run: async (t) => {
    const session = await t.start({ args });

    const plugins = await session.listPlugins();

    expect(plugins.length > 0, "it lists nothing");
  },
}));
