import { join } from "node:path";
import type { RunningServer } from "./child.ts";
import { rootDir } from "./paths.ts";
import { serveControl } from "./stand-in-control.ts";
import { startStandInProcess } from "./stand-in-process.ts";
import type { Ec2Target, S3Target } from "./spec.ts";

/** The line that the stand-ins print when they are ready. */
interface Ready {
  readonly s3: string;
  readonly ec2: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

const regions = ["us-east-1", "eu-west-1"] as const;
const copyBucket = "interop-copies";

/** Starts our own stand-ins of S3 and EC2 as a child, which lives as long as its stdin is open. */
export async function startStandIns(dir: string): Promise<{ server: RunningServer; s3: S3Target; ec2: Ec2Target }> {
  const state = join(dir, "stand-ins");
  const program = join(rootDir, "test", "emulators", "main.ts");
  const { line, tell, stop } = await startStandInProcess(program, [
    "--state",
    state,
    "--pending-ms",
    "1500",
    "--sse-c-over-http",
    "--bucket",
    `${copyBucket}@${regions[1]}`,
  ]);
  const control = await serveControl(tell);
  const ready = parseReady(line);
  const keys = { accessKeyId: ready.accessKeyId, secretAccessKey: ready.secretAccessKey };
  return {
    server: {
      name: "stand-ins",
      endpoint: ready.s3,
      stop: async () => void (await Promise.all([control.close(), stop()])),
    },
    s3: {
      name: "stand-in",
      endpoint: ready.s3,
      region: ready.region,
      keys,
      bucket: "interop",
      capabilities: [
        "authenticates",
        "data-files",
        "lists-uploads",
        "tags-uploads",
        "keeps-part-checksums",
        "resumes-uploads",
        "loses-regions",
      ],
      copies: { regions, bucket: copyBucket, control: control.url },
      dataDir: join(state, "s3"),
      dataLayout: "sha256",
    },
    ec2: {
      name: "stand-in",
      endpoint: ready.ec2,
      keys,
      regions,
      capabilities: ["authenticates", "loses-regions"],
      control: control.url,
    },
  };
}

function parseReady(line: string): Ready {
  // The parse edge: what is missing shows here and not in a check.
  const parsed = JSON.parse(line) as Partial<Ready>;
  const { s3, ec2, accessKeyId, secretAccessKey, region } = parsed;
  if (!s3 || !ec2 || !accessKeyId || !secretAccessKey || !region) {
    throw new Error(`the stand-ins said: ${line}`);
  }
  return { s3, ec2, accessKeyId, secretAccessKey, region };
}
