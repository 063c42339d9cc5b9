import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { dialTarget, parseHandshake } from "@flotilla/host";
import { goPlugin, methodDefinition } from "@flotilla/sdk/wire";
import { Client, credentials } from "@grpc/grpc-js";

import { expect, fail } from "../../expect.ts";
import { serverArguments } from "../../plugin/plugin-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { isRunning } from "./raw-process.ts";

/** Starts the plugin, holds its pipes, tells its process id and handshake, and waits to be killed. */
const hostProgram = `
const { spawn } = require("node:child_process");
const [command, ...args] = process.argv.slice(1);
const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
child.stderr.resume();
let text = "";
child.stdout.setEncoding("utf8").on("data", (piece) => {
  const isTold = text.includes("\\n");
  text += piece;
  if (!isTold && text.includes("\\n")) console.log(JSON.stringify([child.pid, text.split("\\n")[0]]));
});
child.on("exit", (code) => console.log(JSON.stringify([child.pid, "ended with " + code])));
setInterval(() => {}, 1e6);
`;

const patienceMs = 10_000;

/** What becomes of a plugin whose server was killed. */
export const hostTests: readonly ConformanceTest[] = [
  {
    id: "process/host/killed",
    title: "a process whose host was killed ends by itself",
    rule: "leaves-with-its-host",
    run: async (t) => {
      const { host, pid } = await startUnderHost(t);

      host.kill("SIGKILL");

      await expectGone(t, pid);
    },
  },
  {
    id: "process/host/killed-while-connected",
    title: "a process whose host was killed with its streams open ends by itself",
    rule: "leaves-with-its-host",
    run: async (t) => {
      const { host, pid, handshake } = await startUnderHost(t);
      const client = new Client(dialTarget(parseHandshake(handshake)), credentials.createInsecure());
      const { startStream } = goPlugin.GRPCBroker.method;
      const { path, requestSerialize, responseDeserialize } = methodDefinition(goPlugin.GRPCBroker, startStream);
      const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      stream.on("error", () => {}).resume();
      await new Promise<void>((resolve, reject) => {
        const deadline = Date.now() + patienceMs * t.timeLimitFactor;
        client.waitForReady(deadline, (error) => (error === undefined ? resolve() : reject(error)));
      });

      host.kill("SIGKILL");
      // As the kernel does with the sockets of a process that died.
      stream.cancel();
      client.close();

      await expectGone(t, pid);
    },
  },
];

async function startUnderHost(t: TestContext) {
  const host = spawn(process.execPath, ["-e", hostProgram, "--", t.command, ...serverArguments], {
    env: { ...t.target.env, VELERO_PLUGIN: "hello", PLUGIN_PROTOCOL_VERSIONS: "2" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.own(async () => void host.kill("SIGKILL"));
  const [line] = await once(createInterface({ input: host.stdout }), "line");
  // Printed by the program above.
  const [pid, handshake] = JSON.parse(String(line)) as [number, string];
  t.own(async () => {
    if (await isRunning(pid)) process.kill(pid, "SIGKILL");
  });
  expect(handshake.includes("|"), `the plugin ${handshake}`);
  return { host, pid, handshake };
}

async function expectGone(t: TestContext, pid: number): Promise<void> {
  await t
    .until("the end", async () => !(await isRunning(pid)), patienceMs)
    .catch((error: unknown) => fail(`process ${pid} still runs after its host was killed: ${String(error)}`));
}
