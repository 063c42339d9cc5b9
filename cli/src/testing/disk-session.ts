import type { TestContext } from "node:test";

import type { CliContext } from "../context.ts";
import { Session } from "../session.ts";
import type { Flotilla } from "./flotilla.ts";

/** Opens a session on the plugin that keeps everything in a folder, which misbehaves as told; closed with the test. */
export function openDiskSession(context: TestContext, flotilla: Flotilla, fault: string): Session {
  const cli: CliContext = {
    env: process.env,
    workingDirectory: flotilla.folder,
    printOut: () => {},
    printError: () => {},
    isTerminal: false,
    signal: new AbortController().signal,
    now: () => new Date(),
  };
  const folder = `folder=${flotilla.store}`;
  const session = new Session(cli, {
    plugin: [flotilla.plugin],
    provider: "disk",
    bucket: "b",
    output: "table",
    logLevel: "warn",
    quiet: true,
    config: [folder, `fault=${fault}`],
    volumeConfig: [folder],
  });
  context.after(() => session[Symbol.asyncDispose]());
  return session;
}
