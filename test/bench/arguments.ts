import { parseArgs } from "node:util";
import { builtAzurePlugin, builtPlugin } from "../interop/paths.ts";
import type { BenchProvider } from "./metrics.ts";

/** What the command line asked for. */
export interface BenchArguments {
  readonly provider: BenchProvider;
  readonly plugin: string;
  /** The plugin to compare with; without it, the official one for aws and the SDK alone for azure. */
  readonly against?: string;
  readonly quick: boolean;
  readonly only?: RegExp;
  readonly repetitions?: number;
  readonly json: boolean;
}

/** The text of `--help`. */
export const usage = `usage: npm run bench -- [options]

  --provider NAME  aws (default) or azure
  --plugin FILE    the executable to measure (default: the built one of the provider)
  --against FILE   the executable to compare with (default: velero-plugin-for-aws v1.14.3; for azure, whose official
                   plugin no registry serves, Azure's SDK at that plugin's settings)
  --quick          fewer repetitions, and not four objects of 1 GiB at once
  --only REGEXP    only the cases whose name matches, such as "put-64MiB$" or "^start$"
  --reps N         repetitions of every case
  -o json          every sample and every line of the table as JSON`;

/** Reads the command line. */
export function parseBenchArguments(args: readonly string[]): BenchArguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      provider: { type: "string", default: "aws" },
      plugin: { type: "string" },
      against: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      reps: { type: "string" },
      output: { type: "string", short: "o" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    return undefined;
  }
  if (values.output !== undefined && values.output !== "json") {
    throw new Error(`-o takes "json", not "${values.output}"`);
  }
  const { provider } = values;
  if (provider !== "aws" && provider !== "azure") {
    throw new Error(`--provider takes aws or azure, not "${provider}"`);
  }
  return {
    provider,
    plugin: values.plugin ?? (provider === "aws" ? builtPlugin : builtAzurePlugin),
    ...(values.against === undefined ? {} : { against: values.against }),
    quick: values.quick,
    ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
    ...(values.reps === undefined ? {} : { repetitions: parseCount(values.reps) }),
    json: values.output === "json",
  };
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new Error(`--reps takes a whole number above 0, not "${text}"`);
  }
  return count;
}
