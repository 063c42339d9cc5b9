import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { conformancePage } from "./conformance-page.ts";
import type { JudgedTarget } from "./conformance-page.ts";
import { runProgram } from "./child.ts";
import { builtAzurePlugin, builtGcpPlugin, builtPlugin, rootDir } from "./paths.ts";
import { installAll, officialGcpPlugin, officialPlugin } from "./toolchain.ts";

// A program: runs the conformance suite on the official plugins and on ours, on every target, and writes what came out
// into docs/conformance.md. `--check` writes nothing and fails where the page says something else.

const usage = `usage: npm run conformance:official -- [options]

  --targets A,B   only these targets
  --providers A,B only the plugins of these clouds
  --check         compares with docs/conformance.md instead of writing it
`;

const suite = join(rootDir, "test", "conformance", "src", "main.ts");
const verdictsFile = join(import.meta.dirname, "conformance-verdicts.json");
const pageFile = join(rootDir, "docs", "conformance.md");

/** An executable on a target. */
interface Judgement {
  readonly plugin: string;
  readonly path: string;
  readonly provider: string;
  readonly target: string;
  /** Judges this kind only. */
  readonly kind?: string;
}

const officialGcp = { plugin: "velero-plugin-for-gcp v1.14.2", path: officialGcpPlugin.path, provider: "gcp" };
const ownGcp = { plugin: "flotilla-plugin-gcp", path: builtGcpPlugin, provider: "gcp" };

/** Everything that is judged. */
const judgements: readonly Judgement[] = [
  ...["embedded", "azurite"].map((target) => ({
    plugin: "flotilla-plugin-azure",
    path: builtAzurePlugin,
    provider: "azure",
    target,
  })),
  ...["embedded", "versitygw", "ministack", "moto"].flatMap((target) => [
    { plugin: "velero-plugin-for-aws v1.14.3", path: officialPlugin.path, provider: "aws", target },
    { plugin: "flotilla-plugin-aws", path: builtPlugin, provider: "aws", target },
  ]),
  // It takes no endpoint of Compute Engine, so that its volumes cannot be led to the stand-in.
  { ...officialGcp, target: "embedded", kind: "ObjectStore" },
  { ...ownGcp, target: "embedded" },
  { ...officialGcp, target: "fake-gcs" },
  { ...ownGcp, target: "fake-gcs" },
];

const { values } = parseArgs({
  options: {
    targets: { type: "string" },
    providers: { type: "string" },
    check: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help === true) process.stdout.write(usage);
else process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  const isNamed = (names: string | undefined, name: string): boolean => names?.split(",").includes(name) ?? true;
  const chosen = judgements.filter(
    ({ target, provider }) => isNamed(values.targets, target) && isNamed(values.providers, provider),
  );
  await installAll(
    [officialPlugin, officialGcpPlugin].filter(({ path }) => chosen.some((judgement) => judgement.path === path)),
    (line) => void process.stderr.write(`${line}\n`),
  );
  const fresh: JudgedTarget[] = [];
  for (const judgement of chosen) {
    const judged = await judge(judgement);
    process.stdout.write(
      `${judged.plugin} on ${judged.target}: ${judged.passed} passed, ${judged.failed.length} failed, ${judged.skipped} skipped\n`,
    );
    fresh.push(judged);
  }
  return values.check === true ? await compare(fresh) : await write(fresh);
}

/** What `-o json` of the suite prints, as far as it is read here. */
interface Report {
  readonly passed: number;
  readonly skipped: number;
  readonly tests: readonly {
    readonly id: string;
    readonly title: string;
    readonly verdict: string;
    readonly rule: { readonly origin: string; readonly consequence: string };
  }[];
}

async function judge({ plugin, path, provider, target, kind }: Judgement): Promise<JudgedTarget> {
  const config = join(rootDir, "plugins", provider, "conformance", target, "target.yaml");
  const args = [
    suite,
    "--plugin",
    path,
    "--config",
    config,
    "-o",
    "json",
    ...(kind === undefined ? [] : ["--kind", kind]),
  ];
  const { output, code } = await runProgram(process.execPath, args);
  const start = output.indexOf("{\n");
  if (code > 1 || start < 0) throw new Error(`${plugin} on ${target} was not judged:\n${output}`);
  // The parse edge: written by the suite's own json-report.ts.
  const report = JSON.parse(output.slice(start, output.lastIndexOf("}") + 1)) as Report;
  const failed = report.tests
    .filter(({ verdict }) => verdict === "failed")
    .map(({ id, title, rule }) => ({ id, title, origin: rule.origin, consequence: rule.consequence }));
  return { plugin, target, passed: report.passed, skipped: report.skipped, failed };
}

async function readVerdicts(): Promise<readonly JudgedTarget[]> {
  const text = await readFile(verdictsFile, "utf8").catch(() => "[]");
  // Written by this program.
  return JSON.parse(text) as readonly JudgedTarget[];
}

async function write(fresh: readonly JudgedTarget[]): Promise<boolean> {
  const isFresh = ({ plugin, target }: JudgedTarget): boolean =>
    fresh.some((judged) => judged.plugin === plugin && judged.target === target);
  const kept = (await readVerdicts()).filter((judged) => !isFresh(judged));
  const all = judgements.flatMap(({ plugin, target }) =>
    [...fresh, ...kept].filter((judged) => judged.plugin === plugin && judged.target === target),
  );
  await writeFile(verdictsFile, `${JSON.stringify(all, undefined, 2)}\n`);
  await writeFile(pageFile, conformancePage(all));
  return true;
}

/** One line for each verdict that is not the page's, and the closing line. */
async function compare(fresh: readonly JudgedTarget[]): Promise<boolean> {
  const written = await readVerdicts();
  let [same, different] = [0, 0];
  for (const judged of fresh) {
    const known = written.find(({ plugin, target }) => plugin === judged.plugin && target === judged.target);
    const before = new Set(known?.failed.map(({ id }) => id));
    const now = new Set(judged.failed.map(({ id }) => id));
    for (const id of before.symmetricDifference(now)) {
      different += 1;
      const verdict = now.has(id)
        ? "fails, and docs/conformance.md does not say so"
        : "passes, and docs/conformance.md says that it fails";
      process.stdout.write(`${judged.plugin} on ${judged.target}: ${id} ${verdict}\n`);
    }
    same += judged.passed + [...now].filter((id) => before.has(id)).length;
  }
  process.stdout.write(`${same} passed, ${different} failed\n`);
  return different === 0;
}
