import { readFile } from "node:fs/promises";

interface Mount {
  readonly place: string;
  /** Its file system's number; none of them is asked, since one may hang. */
  readonly device: string;
}

/** The folders below this one, by their names from there, on which other file systems are mounted; none where unknown. */
export async function nestedMounts(folder: string): Promise<readonly string[]> {
  return otherFileSystems(folder, await readFile("/proc/self/mountinfo", "utf8").catch(() => ""));
}

/** The same by the kernel's table of mounts, in which later ones hide earlier ones of the same place. */
export function otherFileSystems(folder: string, table: string): readonly string[] {
  const mounts = new Map(
    table
      .split("\n")
      .map(readMount)
      .map((mount) => [mount.place, mount]),
  );
  const ways = [...mounts.values()].filter(({ place }) => isBelow(folder, place) || place === folder);
  const own = ways.sort((a, b) => b.place.length - a.place.length)[0];
  const start = `${folder}/`;
  return [...mounts.values()]
    .filter(({ place, device }) => place.startsWith(start) && device !== own?.device)
    .map(({ place }) => place.slice(start.length));
}

function isBelow(path: string, place: string): boolean {
  return place !== "" && path.startsWith(place === "/" ? "/" : `${place}/`);
}

/** The kernel writes spaces and the like as three octal digits. */
function readMount(line: string): Mount {
  const [, , device = "", , place = ""] = line.split(" ");
  const path = place.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return { place: path, device };
}
