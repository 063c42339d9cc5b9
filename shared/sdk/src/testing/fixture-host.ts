import { once } from "node:events";

import { FixtureProcess, putMessage, serverChunkBytes } from "./fixture-process.ts";

// A host that starts the fixture plugin, holds go-plugin's streams where asked to, begins a put and never ends it. It
// prints the plugin's process id and waits to be killed.
const [journal = "", streams = ""] = process.argv.slice(2);

const fixture = new FixtureProcess();
await fixture.initObjectStore({ bucket: "b", fault: "put-keeps-a-journal", journal });
if (streams === "held") await fixture.holdStreams();
const { stream, finished } = await fixture.startPut();
finished.catch(() => {});
// More than the plugin gathers before it hands a body on.
for (let sent = 0; sent < 20; sent += 1)
  stream.write(putMessage({ bucket: "b", key: "k" }, Buffer.alloc(serverChunkBytes)));
process.stdout.write(`${fixture.child.pid}\n`);
await once(process, "never");
