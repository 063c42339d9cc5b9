import { parseArgs } from "node:util";
import { formerVelero, type FormerVelero } from "./toolchain.ts";
import { builtAzurePlugin, builtGcpPlugin, builtPlugin, builtResticPlugin } from "./paths.ts";

/** The servers by the names under which `--targets` takes them. */
const targetNames = [
  "versitygw",
  "ministack",
  "moto",
  "azurite",
  "fake-gcs",
  "stand-ins",
  "azure-stand-ins",
  "gcp-stand-ins",
  "restic",
] as const;

/** The name of a server. */
export type TargetName = (typeof targetNames)[number];

/** What the command line asked for. */
export interface InteropArguments {
  readonly plugin: string;
  readonly azurePlugin: string;
  readonly gcpPlugin: string;
  readonly resticPlugin: string;
  /** An executable of velero-plugin-for-microsoft-azure; nothing here installs it. */
  readonly azureOther: string | undefined;
  readonly expectOfficial: boolean;
  /** Undefined for the release in go.mod. */
  readonly velero: FormerVelero | undefined;
  readonly filter: string;
  readonly targets: readonly TargetName[];
  readonly probes: boolean;
  readonly interchange: boolean;
}

/** The text of `--help`. */
export const usage = `usage: npm run test:interop -- [options]

  --plugin FILE        the executable to check (default: plugins/aws/dist/flotilla-plugin-aws)
  --azure-plugin FILE  the same for Azure (default: plugins/azure/dist/flotilla-plugin-azure)
  --gcp-plugin FILE    the same for Google Cloud (default: plugins/gcp/dist/flotilla-plugin-gcp)
  --restic-plugin FILE the same for restic (default: plugins/restic/dist/flotilla-plugin-restic)
  --azure-other FILE   an executable of velero-plugin-for-microsoft-azure, built elsewhere, to exchange objects with
  --expect official    the executables are the official plugins for AWS and Google Cloud: their known faults must show
  --velero MINOR       drive them by the client code of an earlier Velero: ${Object.keys(formerVelero).join(", ")}
  --only REGEXP        run the checks whose "target: title" matches
  --targets A,B        servers to run against (default: ${targetNames.join(",")})
  --no-interchange     leave out what one plugin wrote and the other reads
  --no-probes          leave out the probes of the servers themselves`;

/** Reads the command line. */
export function parseInteropArguments(args: readonly string[]): InteropArguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      plugin: { type: "string", default: builtPlugin },
      "azure-plugin": { type: "string", default: builtAzurePlugin },
      "gcp-plugin": { type: "string", default: builtGcpPlugin },
      "restic-plugin": { type: "string", default: builtResticPlugin },
      "azure-other": { type: "string" },
      expect: { type: "string" },
      velero: { type: "string" },
      only: { type: "string", default: "" },
      targets: { type: "string", default: targetNames.join(",") },
      probes: { type: "boolean", default: true },
      interchange: { type: "boolean", default: true },
      help: { type: "boolean", default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    return undefined;
  }
  if (values.expect !== undefined && values.expect !== "official") {
    throw new Error(`--expect takes "official", not "${values.expect}"`);
  }
  return {
    plugin: values.plugin,
    azurePlugin: values["azure-plugin"],
    gcpPlugin: values["gcp-plugin"],
    resticPlugin: values["restic-plugin"],
    azureOther: values["azure-other"],
    expectOfficial: values.expect === "official",
    velero: values.velero === undefined ? undefined : toFormerVelero(values.velero),
    filter: values.only,
    targets: values.targets.split(",").map(toTargetName),
    probes: values.probes,
    interchange: values.interchange,
  };
}

function toTargetName(text: string): TargetName {
  const name = targetNames.find((known) => known === text);
  if (name === undefined) {
    throw new Error(`unknown target "${text}"; known are ${targetNames.join(", ")}`);
  }
  return name;
}

function toFormerVelero(text: string): FormerVelero {
  if (text in formerVelero) return text as FormerVelero;
  throw new Error(`--velero takes ${Object.keys(formerVelero).join(" or ")}, not "${text}"`);
}
