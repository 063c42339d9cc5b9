import { parseArgs } from "node:util";

/** The forms of a report. */
const outputs = ["text", "json", "junit", "markdown"] as const;

/** What a run was asked for. */
export interface Arguments {
  readonly plugin: string;
  readonly provider: string | undefined;
  /** Target files. */
  readonly configs: readonly string[];
  /** Of ObjectStore and VolumeSnapshotter; undefined for both. */
  readonly kind: string | undefined;
  /** Matches ids and titles. */
  readonly only: RegExp | undefined;
  readonly withSlow: boolean;
  /** Every target that was named, not only the required ones. */
  readonly all: boolean;
  readonly output: (typeof outputs)[number];
  readonly soakMs: number | undefined;
  readonly soakWorkers: number | undefined;
  readonly seed: string | undefined;
  readonly jobs: number | undefined;
  readonly list: boolean;
  readonly rules: boolean;
}

/** Shown by --help and beside wrong arguments. */
export const usage = `Judges a Velero plugin executable by what the server would see of it.

  plugin-conformance --plugin PATH [--provider velero.io/aws] --config TARGET.yaml [options]

  --plugin PATH        the executable
  --provider NAME      the implementation that it registers; the target's own unless given
  --config FILE        a target: the location and what is known of the store behind it; may be repeated
  --kind KIND          ObjectStore or VolumeSnapshotter only
  --only PATTERN       tests whose id or title matches
  --slow               slow tests too, the soak among them
  --all                every target, not only those marked isRequired, and slow tests
  --jobs N             how many tests run at once (3)
  --soak SECONDS       how long the soak lasts (60)
  --soak-workers N     how many work at once (8)
  --seed TEXT          repeats a soak
  -o, --output FORM    text, json, junit or markdown
  --list               prints the tests and their rules, and runs none
  --rules              prints the rules as a page for users, and runs nothing

The last line is "N passed, N failed, N skipped"; the exit code is 1 when a test failed and 2 when nothing could be run.`;

/** Thrown for arguments that make no sense. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads the command line; undefined where help was asked for. */
export function parseArguments(args: readonly string[]): Arguments | undefined {
  const values = read(args);
  if (values.help === true) return undefined;
  const output = checked(values);
  const soakSeconds = positive("soak", values.soak);
  return {
    plugin: values.plugin ?? "",
    provider: values.provider,
    configs: values.config ?? [],
    kind: values.kind,
    only: values.only === undefined ? undefined : pattern(values.only),
    withSlow: values.slow === true || values.all === true,
    all: values.all === true,
    output,
    soakMs: soakSeconds === undefined ? undefined : soakSeconds * 1000,
    soakWorkers: positive("soak-workers", values["soak-workers"]),
    seed: values.seed,
    jobs: positive("jobs", values.jobs),
    list: values.list === true,
    rules: values.rules === true,
  };
}

/** Refuses what makes no sense together; answers the form of the report. */
function checked(values: ReturnType<typeof read>): Arguments["output"] {
  const output = outputs.find((known) => known === values.output);
  if (output === undefined) throw new UsageError(`--output ${values.output} is not one of ${outputs.join(", ")}`);
  if (values.kind !== undefined && values.kind !== "ObjectStore" && values.kind !== "VolumeSnapshotter")
    throw new UsageError(`--kind ${values.kind} is neither ObjectStore nor VolumeSnapshotter`);
  const runsTests = values.list !== true && values.rules !== true;
  if (runsTests && values.plugin === undefined) throw new UsageError("--plugin PATH is missing");
  if (runsTests && values.config === undefined) throw new UsageError("--config FILE is missing");
  return output;
}

function read(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        plugin: { type: "string" },
        provider: { type: "string" },
        config: { type: "string", multiple: true },
        kind: { type: "string" },
        only: { type: "string" },
        slow: { type: "boolean" },
        all: { type: "boolean" },
        soak: { type: "string" },
        "soak-workers": { type: "string" },
        seed: { type: "string" },
        jobs: { type: "string" },
        output: { type: "string", short: "o", default: "text" },
        list: { type: "boolean" },
        rules: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new UsageError(`--only ${text} is no regular expression`, { cause });
  }
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`--${name} ${text} is no positive number`);
  return value;
}
