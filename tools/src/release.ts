import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseStatus, parseTasks, printPlan, tagOf } from "./release/release-plan.ts";
import type { PackageRelease, PlannedTask, ReleasePlan } from "./release/release-plan.ts";

// A program, run in the workspace's folder: releases what the changesets name, and what must follow. Versions and
// changelogs are written, images built, all of it committed and tagged. Nothing leaves this machine: what is to be pushed
// is printed at the end. `--dry-run` prints the plan and changes nothing.

const { values } = parseArgs({ options: { "dry-run": { type: "boolean", default: false } } });
release(values["dry-run"]);

function release(isDryRun: boolean): void {
  const plan = planRelease();
  process.stdout.write(printPlan(plan));
  if (isDryRun || plan.releases.length === 0) return;
  requireCleanTree();
  writeAndBuild(plan);
  run("git", "commit", "--message", `Release ${plan.releases.map(tagOf).join(", ")}`);
  for (const tag of plan.releases.map(tagOf)) run("git", "tag", "--annotate", tag, "--message", tag);
  const names = plan.images.map(({ name }) => name).join(", ");
  process.stdout.write(`done: push the commit, the tags, and dist/image of ${names === "" ? "nothing" : names}\n`);
}

/** Once versions are committed, no changeset is left that would name them: whatever can fail comes before. */
function writeAndBuild({ images }: ReleasePlan): void {
  try {
    run("changeset", "version");
    run("npm", "install", "--package-lock-only", "--prefer-offline", "--no-audit", "--silent");
    run("git", "add", "--all");
    if (images.length > 0) run("turbo", ...imageWords(images), "--output-logs=errors-only");
  } catch (error) {
    // The tree was clean: all that goes was written here.
    run("git", "add", "--all");
    run("git", "reset", "--hard", "--quiet", "HEAD");
    throw new Error("nothing was released, and the changesets wait as before", { cause: error });
  }
}

function planRelease(): ReleasePlan {
  const releases = readReleases();
  const imaged = tasksOf(["run", "image"]).filter(({ task, command }) => task === "image" && command !== undefined);
  const names = imaged.map((task) => task.package);
  const images = releases.filter(({ name }) => names.includes(name));
  return {
    releases,
    images,
    untouched: names.filter((name) => !images.some((release) => release.name === name)).toSorted(),
    tasks: images.length === 0 ? [] : tasksOf(imageWords(images)),
  };
}

function readReleases(): readonly PackageRelease[] {
  const scratch = mkdtempSync(join(tmpdir(), "release-"));
  try {
    const path = join(scratch, "status.json");
    const { status, stdout, error } = spawnSync("changeset", ["status", "--output", path], { encoding: "utf8" });
    // Its reasons stand among its results.
    if (status !== 0) throw new Error(`what is to be released cannot be told\n${stdout}`, { cause: error });
    return parseStatus(readFileSync(path, "utf8"));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function imageWords(images: readonly PackageRelease[]): string[] {
  return ["run", "image", ...images.map(({ name }) => `--filter=${name}`)];
}

function tasksOf(words: readonly string[]): readonly PlannedTask[] {
  const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: "1" };
  const output = execFileSync("turbo", [...words, "--dry=json"], {
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 64 * 1024 ** 2,
  });
  return parseTasks(output);
}

function requireCleanTree(): void {
  const changes = execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" });
  if (changes !== "") throw new Error(`a release is made from what is committed; these are not:\n${changes}`);
}

function run(command: string, ...words: string[]): void {
  execFileSync(command, words, { stdio: "inherit" });
}
