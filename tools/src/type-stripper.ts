import type { TrimmedExecutable } from "./icu-data.ts";

// The compiler's WebAssembly, in base64 within the source text of Node's `amaro`: the longest such text by far.
const shortest = 1024 * 1024;
const opening = Buffer.from('.from("');
const base64 = /^[A-Za-z0-9+/=]+"/;
const blank = 0x41;

/**
 * A copy of Node's executable without the compiler that strips types from TypeScript, which nothing inside a single
 * executable asks for. The source text that holds it stays what it was in length and form.
 */
export function trimTypeStripper(executable: Buffer): TrimmedExecutable {
  const copy = Buffer.from(executable);
  for (let at = copy.indexOf(opening); at !== -1; at = copy.indexOf(opening, at + 1)) {
    const start = at + opening.length;
    const end = copy.indexOf('"', start);
    if (end - start < shortest || !base64.test(copy.toString("latin1", start, end + 1))) continue;
    copy.fill(blank, start, end);
    return { executable: copy, freedBytes: end - start };
  }
  throw new Error("the executable holds no type stripper: Node was built without it or in another form");
}
