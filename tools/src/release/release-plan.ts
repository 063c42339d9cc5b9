/** What changesets say of one package's next version. */
export interface PackageRelease {
  readonly name: string;
  readonly type: "major" | "minor" | "patch" | "none";
  readonly oldVersion: string;
  readonly newVersion: string;
  /** The ids of the changes that name it; empty for a package that only follows one of its dependencies. */
  readonly changesets: readonly string[];
}

/** A task as turbo would run it. */
export interface PlannedTask {
  readonly package: string;
  readonly task: string;
  /** Undefined where the package has no such task. */
  readonly command: string | undefined;
  readonly isCached: boolean;
}

/** What one release consists of. */
export interface ReleasePlan {
  readonly releases: readonly PackageRelease[];
  /** Those of them that become an image. */
  readonly images: readonly PackageRelease[];
  /** Packages that become an image, and that this release leaves alone. */
  readonly untouched: readonly string[];
  readonly tasks: readonly PlannedTask[];
}

/** Reads what `changeset status --output` wrote. */
export function parseStatus(text: string): readonly PackageRelease[] {
  // The documented shape of that file.
  const { releases } = JSON.parse(text) as { readonly releases: readonly PackageRelease[] };
  return releases.filter(({ type }) => type !== "none").toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reads what `turbo run --dry=json` printed. */
export function parseTasks(text: string): readonly PlannedTask[] {
  // The documented shape of that answer.
  const { tasks } = JSON.parse(text) as {
    readonly tasks: readonly {
      readonly package: string;
      readonly task: string;
      readonly command: string;
      readonly cache: { readonly status: "HIT" | "MISS" };
    }[];
  };
  return tasks.map(({ package: name, task, command, cache }) => ({
    package: name,
    task,
    command: command === "<NONEXISTENT>" ? undefined : command,
    isCached: cache.status === "HIT",
  }));
}

/** The tag of a package's version, as changesets spell it. */
export function tagOf({ name, newVersion }: PackageRelease): string {
  return `${name}@${newVersion}`;
}

/** The plan in plain lines, each set under its heading, so that what is absent is seen as well. */
export function printPlan({ releases, images, untouched, tasks }: ReleasePlan): string {
  const built = tasks.filter(({ command }) => command !== undefined);
  return [
    section("versions", releases.map(versionLine)),
    section(
      "builds",
      built.map((task) => `${task.package} ${task.task}${task.isCached ? " (as it lies in the cache)" : ""}`),
    ),
    section("images", images.map(imageLine)),
    section("tags", releases.map(tagOf)),
    section("left alone", untouched),
  ].join("\n");
}

function versionLine({ name, oldVersion, newVersion, type, changesets }: PackageRelease): string {
  const reason = changesets.length === 0 ? "follows a dependency" : changesets.join(", ");
  return `${name} ${oldVersion} -> ${newVersion} (${type}: ${reason})`;
}

/** The name under which users pull it, as `flotilla install` prints it. */
function imageLine({ name, newVersion }: PackageRelease): string {
  const bare = name.replace(/^@[^/]+\//, "");
  const image = bare.startsWith("plugin-") ? `velero-plugin-for-${bare.slice("plugin-".length)}` : "flotilla";
  return `${image}:v${newVersion}`;
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${(lines.length === 0 ? ["none"] : lines).map((line) => `  ${line}`).join("\n")}\n`;
}
