import { open } from "node:fs/promises";

import { PluginError } from "@flotilla/sdk/plugin";

const headerBytes = 20;
const elfMagic = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const machineOffset = 18;
const machines = new Map([
  [0x3e, "x64"],
  [0xb7, "arm64"],
  [0x28, "arm"],
  [0xf3, "riscv64"],
  [0x15, "ppc64"],
  [0x16, "s390x"],
]);

/**
 * Refuses what Linux cannot execute, as the server's own start does ("exec format error"). Without this, Node hands such a
 * file to the shell, which runs it as a script.
 */
export async function refuseForeignFormat(command: string): Promise<void> {
  if (process.platform !== "linux") return;
  const reason = foreignFormat(await readHeader(command));
  if (reason === undefined) return;
  throw new PluginError(`start plugin ${command}: exec format error: ${reason}`, { kind: "internal" });
}

function foreignFormat(header: Buffer): string | undefined {
  if (header.subarray(0, 2).toString("latin1") === "#!") return undefined;
  if (!header.subarray(0, elfMagic.length).equals(elfMagic) || header.length < headerBytes) {
    return "it is neither a program nor a script with a #! line; take its execute bit away if it is no plugin";
  }
  const machine = machines.get(header.readUInt16LE(machineOffset));
  if (machine === undefined || machine === process.arch) return undefined;
  return `it is built for ${machine}, and this machine is ${process.arch}`;
}

async function readHeader(command: string): Promise<Buffer> {
  try {
    await using file = await open(command);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PluginError(`start plugin ${command}: ${reason}; is it a file, and executable?`, {
      kind: "internal",
      cause: error,
    });
  }
}
