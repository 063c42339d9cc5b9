import { parseArgs } from "node:util";

import { startFaultProxy } from "./fault-proxy.ts";

// The fault proxy as a program: prints one JSON line once it listens and runs until stdin ends or SIGTERM comes.
const { values } = parseArgs({
  options: {
    listen: { type: "string", default: "0" },
    target: { type: "string" },
    "rtt-ms": { type: "string", default: "0" },
    "mib-per-second": { type: "string" },
  },
});
const target = /^(?:(.+):)?(\d+)$/.exec(values.target ?? "");
if (target === null) throw new Error("--target HOST:PORT is required");
const [, targetHost = "127.0.0.1", targetPort] = target;
const rate = values["mib-per-second"];
const proxy = await startFaultProxy({
  port: Number(values.listen),
  targetHost,
  targetPort: Number(targetPort),
  upDelayMs: Number(values["rtt-ms"]) / 2,
  downDelayMs: Number(values["rtt-ms"]) / 2,
  ...(rate === undefined ? {} : { bytesPerSecond: Number(rate) * 1024 ** 2 }),
});
process.stdout.write(`${JSON.stringify({ port: proxy.port, url: proxy.url })}\n`);

const stop = (): void => {
  process.stdin.destroy();
  void proxy.close();
};
process.stdin.resume();
process.stdin.once("end", stop);
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
