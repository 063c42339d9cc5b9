import { parseArgs } from "node:util";
import { builtAzurePlugin, builtGcpPlugin, builtPlugin } from "../interop/paths.ts";
import { isBenchProvider } from "./metrics.ts";
import type { BenchProvider } from "./metrics.ts";

/** What the command line asked for. */
export interface BenchArguments {
  readonly provider: BenchProvider;
  readonly plugin: string;
  /** The plugin to compare with; without it, the official one, or for azure the SDK alone. */
  readonly against?: string;
  readonly quick: boolean;
  readonly only?: RegExp;
  readonly repetitions?: number;
  readonly json: boolean;
}

/** The text of `--help`. */
export const usage = `usage: npm run bench -- [options]

  --provider NAME  aws (default), azure or gcp
  --plugin FILE    the executable to measure (default: the built one of the provider)
  --against FILE   the executable to compare with (default: velero-plugin-for-aws v1.14.3 or -for-gcp v1.14.2; for
                   azure, whose official plugin no registry serves, Azure's SDK at that plugin's settings)
  --quick          fewer repetitions, and not four objects of 1 GiB at once
  --only REGEXP    only the cases whose name matches, such as "put-64MiB$" or "^start$"
  --reps N         repetitions of every case
  -o json          every sample and every line of the table as JSON`;

const builtPlugins: Readonly<Record<BenchProvider, string>> = {
  aws: builtPlugin,
  azure: builtAzurePlugin,
  gcp: builtGcpPlugin,
};

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
  if (!isBenchProvider(provider)) {
    throw new Error(`--provider takes aws, azure or gcp, not "${provider}"`);
  }
  return {
    provider,
    plugin: values.plugin ?? builtPlugins[provider],
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
