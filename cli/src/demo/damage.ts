import { open } from "node:fs/promises";

/** What was done to a stored object. */
export interface Damage {
  readonly file: string;
  readonly offset: number;
  readonly before: string;
  readonly after: string;
}

const flippedBits = 0b0001_0100;

/** Flips two bits in the middle of an object's file: its size and its recorded checksum stay as they were. */
export async function damageFile(file: string): Promise<Damage> {
  await using handle = await open(file, "r+");
  const offset = Math.floor((await handle.stat()).size / 2);
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, offset);
  const before = byte.toString("hex");
  byte[0] = (byte[0] ?? 0) ^ flippedBits;
  await handle.write(byte, 0, 1, offset);
  return { file, offset, before, after: byte.toString("hex") };
}
