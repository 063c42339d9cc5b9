import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "@flotilla/sdk/plugin";
import { writeWhole } from "./whole-file.ts";

/** The file that holds the id, in the repository's cache folder. */
const memoryFileName = "flotilla-repository";

/** How long a repository that restic itself named is not asked for again where its cache does not tell. */
const namedForMs = 60_000;

const idPattern = /^[0-9a-f]{64}$/;

/**
 * Which repository a location's address led to, kept beside restic's cache: it outlives processes and containers, and a
 * pod where the cache does. Without it, a repository that is gone would look like one that has never been made.
 */
export class RepositoryMemory {
  readonly #folder: string;
  readonly file: string;
  #namedMs = Number.NEGATIVE_INFINITY;

  constructor(cacheFolder: string) {
    this.#folder = cacheFolder;
    this.file = join(cacheFolder, memoryFileName);
  }

  /** The id of the repository that was there; undefined where none is known. */
  async known(): Promise<string | undefined> {
    const text = (await readFile(this.file, "utf8").catch(() => "")).trim();
    return idPattern.test(text) ? text : undefined;
  }

  /**
   * Remembers which repository a restic opened that was started then and has ended well. Throws where it is another one
   * than before, because that one is out of sight then. `ask` has restic name it; it is called where restic's cache,
   * which has a folder for each id and touches it whenever it is opened, does not tell: that is half a second saved.
   */
  async recognize(shown: string, startedMs: number, ask: () => Promise<string | undefined>): Promise<void> {
    const known = await this.known();
    if (known !== undefined && ((await this.#isTouched(known, startedMs)) || startedMs - this.#namedMs < namedForMs))
      return;
    const id = (known === undefined ? await this.#onlyOpened(startedMs) : undefined) ?? (await ask());
    // What was asked before has told what is wrong, or will.
    if (id === undefined) return;
    if (known === undefined) return await writeWhole(this.file, `${id}\n`);
    if (known === id) {
      this.#namedMs = startedMs;
      return;
    }
    throw new PluginError(
      `open the repository ${shown}: it is another repository than before (${id.slice(0, 8)}, not ${known.slice(0, 8)}), and what is in that one is out of sight. Look whether its volume is mounted and the key repository is right; if the other one is meant, remove ${this.file} (a new pod has none, unless its cache is on a volume)`,
      { kind: "unavailable" },
    );
  }

  /** The one repository that was ever opened with this cache. */
  async #onlyOpened(startedMs: number): Promise<string | undefined> {
    const names = await readdir(this.#folder).catch(() => []);
    const [id, ...others] = names.filter((name) => idPattern.test(name));
    return id !== undefined && others.length === 0 && (await this.#isTouched(id, startedMs)) ? id : undefined;
  }

  async #isTouched(id: string, startedMs: number): Promise<boolean> {
    const found = await stat(join(this.#folder, id)).catch(() => undefined);
    return found !== undefined && found.mtimeMs >= startedMs;
  }
}
