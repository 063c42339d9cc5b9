import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";

import { startAzuritePair } from "./azurite-server.ts";
import { startFakeGcs } from "./gcs-server.ts";
import { prepareBlob, prepareS3, prepareVolumes } from "./prepare-conformance.ts";
import { startMinistack, startMoto } from "./python-servers.ts";
import { azurite, fakeGcsServer, installAll, pythonServers, versitygw } from "./toolchain.ts";
import type { Installation } from "./toolchain.ts";
import type { Ec2Target, S3Target } from "./spec.ts";
import type { RunningServer } from "./child.ts";
import { startVersitygw } from "./versitygw-server.ts";

// One third-party server as a program, for the targets of the conformance suite: installs what it needs, makes buckets
// and volumes, prints one JSON line once it is ready and runs until stdin ends.

/** A server that runs and what a target needs to know of it. */
interface Started {
  readonly server: RunningServer;
  readonly facts: Readonly<Record<string, string>>;
}

const buckets = ["conformance", "conformance-2"];

const servers: Readonly<Record<string, { readonly needs: Installation; start(dir: string): Promise<Started> }>> = {
  versitygw: { needs: versitygw, start: async (dir) => await prepareAws(await startVersitygw(dir)) },
  ministack: { needs: pythonServers, start: async (dir) => await prepareAws(await startMinistack(dir)) },
  moto: { needs: pythonServers, start: async (dir) => await prepareAws(await startMoto(dir)) },
  azurite: {
    needs: azurite,
    start: async (dir) => {
      const { server, blob } = await startAzuritePair(dir);
      return { server, facts: await prepareBlob(blob, buckets) };
    },
  },
  "fake-gcs": {
    needs: fakeGcsServer,
    start: async (dir) => {
      const { server, ...facts } = await startFakeGcs(dir, buckets);
      return { server, facts };
    },
  },
};

const { values, positionals } = parseArgs({ options: { state: { type: "string" } }, allowPositionals: true });
const [name = ""] = positionals;
const chosen = servers[name];
if (chosen === undefined || values.state === undefined)
  throw new Error(`usage: serve.ts ${Object.keys(servers).join("|")} --state DIR`);
await installAll([chosen.needs], (line) => void process.stderr.write(`${line}\n`));
await mkdir(values.state, { recursive: true });
const { server, facts } = await chosen.start(values.state);
process.stdin.resume();
process.stdin.once("end", () => void server.stop().then(() => process.exit()));
process.stdout.write(`${JSON.stringify(facts)}\n`);

async function prepareAws(started: {
  readonly server: RunningServer;
  readonly s3: S3Target;
  readonly ec2?: Ec2Target;
}): Promise<Started> {
  const { server, s3, ec2 } = started;
  await prepareS3(s3, buckets);
  const volumes = ec2 === undefined ? {} : await prepareVolumes(ec2);
  return { server, facts: { endpoint: s3.endpoint, region: s3.region, ...s3.keys, ...volumes } };
}
