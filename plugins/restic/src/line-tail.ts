import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";

const keptLines = 20;
const keptLength = 600;

/** Of the stacks that versions before 0.17 write below their errors: each line of them follows the name of a function. */
const placeInSource = /^\t\S+\.(?:go|s):\d+$/;

/** The last lines of a stream, cut where they are long. */
export class LineTail {
  readonly #lines: string[] = [];
  #rest = "";
  readonly #decoder = new TextDecoder();

  add(chunk: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = (parts.pop() ?? "").slice(0, 16 * keptLength);
    for (const part of parts) this.#keep(part);
  }

  lines(): readonly string[] {
    this.#keep(this.#rest);
    this.#rest = "";
    return [...this.#lines];
  }

  #keep(line: string): void {
    // The error stood before them.
    if (placeInSource.test(line)) return void this.#lines.pop();
    const text = textOf(line.trim()).replaceAll(/\s*\n\s*/g, " ");
    if (text === "") return;
    this.#lines.push(text.slice(0, keptLength));
    if (this.#lines.length > keptLines) this.#lines.shift();
  }
}

/** With --json, newer versions write their errors as messages. */
function textOf(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const message = parseJson(line);
    if (!isJsonObject(message)) return line;
    if (typeof message["message"] === "string") return message["message"];
    const error = message["error"];
    return isJsonObject(error) && typeof error["message"] === "string" ? error["message"] : line;
  } catch {
    return line;
  }
}
