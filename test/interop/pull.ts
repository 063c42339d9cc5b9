import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createCheckList } from "@flotilla/tools/check-list";
import type { CheckList } from "@flotilla/tools/check-list";
import { inImageRoot, makeMountPoints, makeServerRoot } from "@flotilla/tools/image-root";
import { runProgram } from "./child.ts";
import { rootDir } from "./paths.ts";
import { startRegistry } from "./registry.ts";
import type { RegistryClient } from "./registry.ts";
import {
  arm64Emulator,
  crane,
  installAll,
  officialGcpPlugin,
  officialPlugin,
  registry,
  veleroClient,
} from "./toolchain.ts";

// A program, run after `npm run image`: what becomes of an image between its build and the server. Pushes each to a
// registry, pulls it by digest, runs its init step in a root folder that holds the image and nothing else, and lets
// Velero's own discovery load what that left, in a root folder of exactly the server image's packages.

const imageUser = { uid: 65532, gid: 65532 };
const native = "linux/amd64";

/** An image that was built. */
interface BuiltImage {
  readonly name: string;
  readonly layout: string;
}

/** Official executables that register other names than ours, to share a folder with. */
const neighbours = { "flotilla-plugin-gcp": officialPlugin, others: officialGcpPlugin };

if (process.arch !== "x64") throw new Error("this proof runs on x64, where the images of arm64 are emulated");
process.exitCode = await main();

async function main(): Promise<number> {
  const list = createCheckList((line) => process.stdout.write(`${line}\n`));
  await installAll([veleroClient, officialPlugin, officialGcpPlugin, registry, crane], () => undefined);
  const emulates = await canEmulate();
  const scratch = await mkdtemp(join(tmpdir(), "pull-"));
  await chmod(scratch, 0o755);
  try {
    await using client = await startRegistry(scratch);
    const images = await builtImages();
    if (images.length === 0) throw new Error("no image is built: npm run image");
    const targets = new Map<string, string>();
    for (const image of images) targets.set(image.name, await provePull(list, client, image, { scratch, emulates }));
    const plugins = images.filter(({ name }) => name.startsWith("flotilla-plugin-")).map(({ name }) => name);
    await proveDiscovery(list, plugins, targets, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 10 });
  }
  return list.close();
}

async function builtImages(): Promise<readonly BuiltImage[]> {
  const packages = (await readdir(join(rootDir, "plugins"))).sort().map((name) => join(rootDir, "plugins", name));
  const found = await Promise.all([...packages, join(rootDir, "cli")].map(imagesOf));
  return found.flat();
}

async function imagesOf(folder: string): Promise<readonly BuiltImage[]> {
  const files = await readdir(join(folder, "dist")).catch(() => []);
  const reports = files.filter((file) => file.endsWith(".image.txt"));
  return reports.map((file) => ({ name: basename(file, ".image.txt"), layout: join(folder, "dist", "image") }));
}

/** Pushes and pulls one image and answers the folder that its init step filled; empty for a command's. */
async function provePull(
  list: CheckList,
  client: RegistryClient,
  image: BuiltImage,
  { scratch, emulates }: { readonly scratch: string; readonly emulates: boolean },
): Promise<string> {
  const { name, layout } = image;
  const target = join(scratch, name, "target");
  await mkdir(target, { recursive: true });
  await chmod(target, 0o777);
  let reference = "";

  await list.check(`${name}: what the registry got has the digest that was built`, async () => {
    reference = await client.push(layout, name);
    assert.ok(reference.endsWith(await builtDigest(layout)), reference);
  });

  for (const platform of ["linux/amd64", "linux/arm64"]) {
    const root = join(scratch, name, platform.replace("/", "-"));
    await list.check(
      `${name} ${platform}: pulled by digest, it holds the program, licences and materials`,
      async () => {
        await client.unpack(reference, platform, root);
        const documents = await readdir(join(root, "usr/share/doc", name));
        assert.deepEqual(documents.sort(), ["bill-of-materials.cdx.json", "licences.txt"]);
        const bill: unknown = JSON.parse(await readFile(join(root, "usr/share/doc", name, documents[0] ?? ""), "utf8"));
        assert.partialDeepStrictEqual(bill, { bomFormat: "CycloneDX", specVersion: "1.6" });
        assert.notEqual((await stat(join(root, "etc/ssl/certs/ca-certificates.crt"))).size, 0);
      },
    );
    if (platform !== native && !emulates) continue;
    const prefix = platform === native ? [] : await emulatorIn(root);
    // An emulator may end a program of many threads by a fault of its own.
    const tries = platform === native ? 1 : 3;
    const entrypoint = await client.startOf(reference, platform);
    const start = entrypoint.includes("install") ? entrypoint : [...entrypoint, "--help"];
    const folder = platform === native ? target : join(scratch, name, "emulated");
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o777);
    await list.check(`${name} ${platform}: the start of a container does what it is for, twice`, async () => {
      makeMountPoints(root);
      for (const round of ["first", "second"]) {
        const output = await runStart(root, { start: [...prefix, ...start], tries }, folder);
        assert.match(output, start.includes("install") ? /is installed in \/target/ : /Usage: flotilla/, round);
      }
    });
  }
  return target;
}

async function builtDigest(layout: string): Promise<string> {
  const index: unknown = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
  // Written by the build.
  return (index as { manifests: readonly [{ digest: string }] }).manifests[0].digest;
}

/** Whether images of arm64 can be started here, which needs a package that apt must know. */
async function canEmulate(): Promise<boolean> {
  try {
    await arm64Emulator.install();
    return true;
  } catch (error) {
    process.stdout.write(`NOT RUN for arm64: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

/** Puts the emulator into a root folder and answers what stands before a program there. */
async function emulatorIn(root: string): Promise<readonly string[]> {
  await copyFile(arm64Emulator.path, join(root, "emulator"));
  return ["/emulator"];
}

/** Runs a container's start as the image's user; `folder` is mounted at /target, or its files come back from there. */
async function runStart(
  root: string,
  { start, tries }: { readonly start: readonly string[]; readonly tries: number },
  folder: string,
): Promise<string> {
  const target = join(root, "target");
  await mkdir(target, { recursive: true });
  await chmod(target, 0o777);
  const { command, args } = inImageRoot(root, start, imageUser);
  let { code, output } = await runProgram(command, args, { env: { HOME: "/" } });
  for (let tried = 1; code !== 0 && tried < tries; tried += 1)
    ({ code, output } = await runProgram(command, args, { env: { HOME: "/" } }));
  assert.equal(code, 0, output);
  await runProgram("cp", ["--archive", `${target}/.`, folder]);
  return output;
}

/** Lets the server's discovery load two of our plugins and an official one from one folder. */
async function proveDiscovery(
  list: CheckList,
  plugins: readonly string[],
  targets: ReadonlyMap<string, string>,
  scratch: string,
): Promise<void> {
  const groups = [
    { ours: plugins.filter((name) => name !== "flotilla-plugin-gcp"), official: neighbours.others },
    { ours: plugins.filter((name) => name !== "flotilla-plugin-aws"), official: neighbours["flotilla-plugin-gcp"] },
  ];
  for (const [index, { ours, official }] of groups.entries()) {
    const theirs = basename(official.path).replace(/-v[\d.]+$/, "");
    await list.check(`the server's discovery loads ${ours.join(", ")} and ${theirs} from one folder`, async () => {
      const root = join(scratch, `server-${index}`);
      await mkdir(root);
      makeServerRoot(root, "linux-x64");
      for (const name of ours)
        await runProgram("cp", ["--archive", `${targets.get(name) ?? ""}/.`, join(root, "plugins")]);
      await copyFile(official.path, join(root, "plugins", theirs));
      await copyFile(veleroClient.path, join(root, "velero"));
      const { command, args } = inImageRoot(root, ["/velero", "discover", "/plugins"]);
      // The folder that this machine's variable names is none of that root.
      const { code, output } = await runProgram(command, args, { env: { TMPDIR: "/tmp" } });
      assert.equal(code, 0, output);
      for (const name of [...ours, theirs])
        assert.match(output, new RegExp(`^ObjectStore \\S+ /plugins/${name}$`, "m"), output);
    });
  }
}
