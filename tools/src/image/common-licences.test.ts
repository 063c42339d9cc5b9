import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { licencesNamedBy } from "./common-licences.ts";

const root = mkdtempSync(join(tmpdir(), "licences-"));
after(() => rmSync(root, { recursive: true }));
const folder = join(root, "usr/share/common-licenses");
mkdirSync(folder, { recursive: true });
for (const name of ["LGPL-2.1", "GPL-3", "MPL-2.0"]) writeFileSync(join(folder, name), `text of ${name}`);
symlinkSync("GPL-3", join(folder, "GPL"));

test("the texts that a copyright only points to are taken along, each once, under the names that it gives", () => {
  const copyrights = [
    "can be found in `/usr/share/common-licenses/LGPL-2.1'.\nPublic License is in /usr/share/common-licenses/GPL.\n",
    "see /usr/share/common-licenses/GPL-3, and\n/usr/share/common-licenses/GPL-3\n",
  ].map((text) => ({ path: "/usr/share/doc/x/copyright", mode: 0o644, content: Buffer.from(text) }));

  const files = licencesNamedBy(copyrights, root);

  assert.deepEqual(
    files.map(({ path, content }) => [path, content?.toString()]),
    [
      ["/usr/share/common-licenses/GPL", "text of GPL-3"],
      ["/usr/share/common-licenses/GPL-3", "text of GPL-3"],
      ["/usr/share/common-licenses/LGPL-2.1", "text of LGPL-2.1"],
    ],
  );
});

test("a text that is named and not at hand is told, for an image without it may not be given away", () => {
  const copyright = { path: "/c", mode: 0o644, content: Buffer.from("/usr/share/common-licenses/EUPL-1.2") };

  assert.throws(() => licencesNamedBy([copyright], root), /EUPL-1\.2/);
});
