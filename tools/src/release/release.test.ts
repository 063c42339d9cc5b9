import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { workspaceFolder } from "../workspace.ts";

const clone = mkdtempSync(join(tmpdir(), "release-"));
after(() => rmSync(clone, { recursive: true }));
const env = {
  ...process.env,
  PATH: `${join(workspaceFolder, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
  GIT_CONFIG_GLOBAL: "/dev/null",
};

function git(...words: string[]): string {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  return execFileSync("git", [...identity, ...words], { cwd: clone, env, encoding: "utf8" });
}

/** A repository of its own with what is in this checkout, and no change that waits for its release. */
function copyCheckout(): void {
  const words = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const files = execFileSync("git", words, { cwd: workspaceFolder, encoding: "utf8" }).split("\0");
  for (const file of files.filter((file) => file !== "" && !/^\.changeset\/(?!README).*\.md$/.test(file))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(workspaceFolder, file), join(clone, file), { force: true });
  }
  symlinkSync(join(workspaceFolder, "node_modules"), join(clone, "node_modules"));
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message=everything");
}

/** What a dry run says, by heading, after a change in one package was described. */
function dryRun(packageName: string): Record<string, string[]> {
  const changeset = join(clone, ".changeset/a-change.md");
  writeFileSync(changeset, `---\n"${packageName}": patch\n---\n\nIt was wrong. It is right now.\n`);
  try {
    const program = join(clone, "tools/src/release.ts");
    const output = execFileSync("node", [program, "--dry-run"], { cwd: clone, env, encoding: "utf8" });
    const sections = output.trim().split(/\n(?=\S)/);
    return Object.fromEntries(
      sections.map((section) => {
        const [title = "", ...lines] = section.trim().split("\n");
        return [title, lines.map((line) => line.trim())];
      }),
    );
  } finally {
    rmSync(changeset);
  }
}

/** An environment whose turbo plans as it does, and ends with this code where it should build. */
function withTurbo(code: number): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), "turbo-"));
  after(() => rmSync(folder, { recursive: true }));
  const real = join(workspaceFolder, "node_modules/.bin/turbo");
  const script = `#!/bin/sh\ncase "$*" in *--dry=json*) exec "${real}" "$@" ;; esac\nexit ${code}\n`;
  writeFileSync(join(folder, "turbo"), script, { mode: 0o755 });
  return { ...env, PATH: `${folder}:${env.PATH}` };
}

/** The plugins of this checkout, and the version that each would get. */
function plugins(): readonly { readonly name: string; readonly next: string }[] {
  return readdirSync(join(workspaceFolder, "plugins")).flatMap((folder) => {
    const path = join(workspaceFolder, "plugins", folder, "package.json");
    if (!existsSync(path)) return [];
    // A plugin's package.json has both.
    const { name, version } = JSON.parse(readFileSync(path, "utf8")) as { name: string; version: string };
    return [{ name, next: version.replace(/\d+$/, (patch) => String(Number(patch) + 1)) }];
  });
}

const isRepository = spawnSync("git", ["-C", workspaceFolder, "rev-parse"]).status === 0;

describe("a release", { skip: isRepository ? false : "this is no git repository" }, () => {
  copyCheckout();
  const all = plugins();
  const aws = all.find(({ name }) => name === "@flotilla/plugin-aws") ?? assert.fail("there is no plugin for AWS");

  test("of a change in one plugin versions, builds, images and tags that plugin only", () => {
    const plan = dryRun(aws.name);

    assert.deepEqual(plan["versions"], [`${aws.name} 0.1.0 -> ${aws.next} (patch: a-change)`]);
    assert.deepEqual(plan["images"], [`velero-plugin-for-aws:v${aws.next}`]);
    assert.deepEqual(plan["tags"], [`${aws.name}@${aws.next}`]);
    const built = new Set(plan["builds"]?.map((line) => line.split(" ")[0]));
    assert.deepEqual([...built], [aws.name]);
    for (const { name } of all.filter((plugin) => plugin !== aws)) assert.ok(plan["left alone"]?.includes(name), name);
  });

  test("of a change in the SDK, which is bundled into every plugin, releases all of them", () => {
    const plan = dryRun("@flotilla/sdk");

    for (const { name, next } of all) {
      assert.ok(plan["images"]?.includes(`${name.replace("@flotilla/plugin-", "velero-plugin-for-")}:v${next}`), name);
      assert.ok(plan["tags"]?.includes(`${name}@${next}`), name);
    }
    assert.deepEqual(plan["left alone"], ["none"]);
  });

  for (const changed of ["@flotilla/host", "@flotilla/cli"]) {
    test(`of a change in ${changed} releases no plugin`, () => {
      const plan = dryRun(changed);

      assert.deepEqual(
        plan["images"]?.map((line) => line.split(":")[0]),
        ["flotilla"],
      );
      for (const { name } of all) assert.ok(plan["left alone"]?.includes(name), name);
      assert.ok(!plan["tags"]?.some((tag) => tag.includes("plugin-")));
    });
  }

  test("without a change that waits for it has nothing to do", () => {
    const program = join(clone, "tools/src/release.ts");

    const output = execFileSync("node", [program, "--dry-run"], { cwd: clone, env, encoding: "utf8" });

    assert.match(output, /^versions\n {2}none$/m);
    assert.equal(git("status", "--porcelain"), "");
  });

  test("writes versions, changelogs and the tag into the repository, and leaves the other packages alone", () => {
    // The SDK's tests are not an image: no build is needed to see what is written.
    writeFileSync(
      join(clone, ".changeset/a-change.md"),
      '---\n"@flotilla/conformance": patch\n---\n\nIt was wrong. It is right now.\n',
    );
    git("add", "--all");
    git("commit", "--quiet", "--message=a change");
    for (const [key, value] of Object.entries({ "user.name": "test", "user.email": "test@localhost" }))
      git("config", key, value);

    execFileSync("node", [join(clone, "tools/src/release.ts")], { cwd: clone, env, stdio: "pipe" });

    assert.match(readFileSync(join(clone, "test/conformance/CHANGELOG.md"), "utf8"), /It is right now\./);
    assert.equal(git("tag").trim(), "@flotilla/conformance@0.1.1");
    assert.match(git("log", "-1", "--format=%s"), /^Release @flotilla\/conformance@0\.1\.1$/m);
    assert.match(git("show", "--stat", "--format="), /test\/conformance\/package\.json/);
    assert.doesNotMatch(git("show", "--stat", "--format="), /plugins\//);
  });

  test("elsewhere than on a branch that begins at main says so", () => {
    git("branch", "--move", "trunk");
    try {
      const { status, stderr } = spawnSync("node", [join(clone, "tools/src/release.ts"), "--dry-run"], {
        cwd: clone,
        env,
      });

      assert.notEqual(status, 0);
      assert.match(stderr.toString(), /HEAD diverged from "main"/);
    } finally {
      git("branch", "--move", "main");
    }
  });

  test("whose images cannot be built has not begun: nothing is written, and the next try makes all of it", () => {
    writeFileSync(join(clone, ".changeset/a-change.md"), '---\n"@flotilla/cli": patch\n---\n\nIt was wrong.\n');
    git("add", "--all");
    git("commit", "--quiet", "--message=another change");
    const [before, tagsBefore] = [git("rev-parse", "HEAD"), git("tag")];
    const release = (imageCode: number) =>
      spawnSync("node", [join(clone, "tools/src/release.ts")], { cwd: clone, env: withTurbo(imageCode) });

    const failed = release(1);

    assert.notEqual(failed.status, 0);
    assert.match(failed.stderr.toString(), /nothing was released/);
    assert.deepEqual([git("rev-parse", "HEAD"), git("tag"), git("status", "--porcelain")], [before, tagsBefore, ""]);
    assert.equal(release(0).status, 0);
    assert.match(git("tag"), /^@flotilla\/cli@0\.1\.1$/m);
    assert.match(git("log", "-1", "--format=%s"), /^Release .*@flotilla\/cli@0\.1\.1$/m);
  });
});
