import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./child.ts";
import { rootDir } from "./paths.ts";
import { restic } from "./toolchain.ts";
import type { ResticTarget, S3Target } from "./spec.ts";
import type { Tally } from "./tally.ts";

/** Repositories to check the restic plugin on: a folder, and a bucket of each S3 server that runs. */
export async function resticTargets(dir: string, s3: readonly S3Target[]): Promise<readonly ResticTarget[]> {
  const folder = join(dir, "restic");
  await mkdir(join(folder, "cache"), { recursive: true });
  const wrongPasswordFile = join(folder, "wrong-password");
  await writeFile(wrongPasswordFile, "not the password\n");
  const targets = [
    { name: "restic in a folder", repository: join(folder, "repository"), lines: [] as string[] },
    ...s3.map(({ name, endpoint, keys, region }) => ({
      name: `restic on ${name}`,
      repository: `s3:${endpoint}/interop-restic/repository`,
      lines: [
        `AWS_ACCESS_KEY_ID=${keys.accessKeyId}`,
        `AWS_SECRET_ACCESS_KEY=${keys.secretAccessKey}`,
        `AWS_DEFAULT_REGION=${region}`,
      ],
    })),
  ];
  return await Promise.all(
    targets.map(async ({ name, repository, lines }, index) => {
      const credentialsFile = join(folder, `credentials-${index}`);
      const wrongCredentialsFile = join(folder, `wrong-credentials-${index}`);
      await writeFile(credentialsFile, ["RESTIC_PASSWORD='horse battery'", ...lines, ""].join("\n"), { mode: 0o600 });
      await writeFile(wrongCredentialsFile, ["RESTIC_PASSWORD=another", ...lines, ""].join("\n"), { mode: 0o600 });
      await makeRepository(repository, lines);
      const config = {
        bucket: "interop",
        prefix: "",
        repository,
        credentialsFile,
        resticPath: restic.path,
        cacheFolder: join(folder, "cache"),
      };
      return { name, config, wrongPassword: { credentialsFile: wrongCredentialsFile } };
    }),
  );
}

async function makeRepository(repository: string, lines: readonly string[]): Promise<void> {
  const keys = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
  const env = { ...keys, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "horse battery" };
  const { code, output } = await runProgram(restic.path, ["init"], { env });
  if (code !== 0) throw new Error(`restic init ${repository}: ${output}`);
}

/** Runs what `npm test` runs where there is restic, here with one and with nothing skipped. */
export async function runResticTests(): Promise<Tally> {
  process.stdout.write("through the wire, with restic\n");
  const { code, output } = await runProgram(
    process.execPath,
    ["--test", "--test-concurrency=3", "test/wire-restic/*.test.ts"],
    {
      echo: true,
      cwd: rootDir,
      env: { RESTIC: restic.path, FLOTILLA_NEEDS_RESTIC: "true" },
    },
  );
  const count = (name: string): number =>
    Number(new RegExp(`^(?:ℹ|#) ${name} (\\d+)$`, "m").exec(output)?.[1] ?? Number.NaN);
  const [passed, failed, cancelled] = [count("pass"), count("fail"), count("cancelled")];
  if (Number.isNaN(passed + failed + cancelled)) return { passed: 0, failed: 1 };
  const isUntold = code !== 0 && failed + cancelled === 0;
  return { passed, failed: isUntold ? 1 : failed + cancelled };
}
