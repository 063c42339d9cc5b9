import { parseArgs } from "node:util";

const storyNames = ["aws", "azure", "gcp", "restic"] as const;

/** A cloud whose plugin is judged. */
export type StoryName = (typeof storyNames)[number];

/** What the command line asked for. */
export interface ServerArguments {
  readonly clouds: readonly StoryName[];
}

/** The text of `--help`. */
export const usage = `usage: npm run test:server -- [options]

  --clouds A,B   whose plugins are judged (default: ${storyNames.join(",")})`;

/** Reads the command line; undefined where help is asked for. */
export function parseServerArguments(args: readonly string[]): ServerArguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { clouds: { type: "string", default: storyNames.join(",") }, help: { type: "boolean", default: false } },
  });
  return values.help ? undefined : { clouds: values.clouds.split(",").map(toStoryName) };
}

function toStoryName(text: string): StoryName {
  const name = storyNames.find((known) => known === text);
  if (name === undefined) throw new Error(`unknown cloud "${text}"; known are ${storyNames.join(", ")}`);
  return name;
}
