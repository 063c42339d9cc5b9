import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { isPluginKind, validatePluginName } from "@flotilla/host";

import { expect, expectEqual, fail } from "../../expect.ts";
import { PluginSession } from "../../plugin/plugin-session.ts";
import type { ConformanceTest } from "../../test.ts";

/** What the executable says of itself when the server discovers it. */
export const listTests: readonly ConformanceTest[] = [
  {
    id: "lister/list/registers-the-provider",
    title: "the list has the provider's name with every kind that the target is about",
    rule: "lists-itself",
    run: async (t) => {
      const plugins = await (await t.start()).listPlugins();

      const kinds = plugins.filter(({ name }) => name === t.provider).map(({ kind }) => kind);
      const shown = plugins.map(({ kind, name }) => `${kind} ${name}`).join(", ") || "nothing";
      if (t.target.objectStore !== undefined)
        expect(kinds.includes("ObjectStore"), `no ObjectStore ${t.provider} in ${shown}`);
      if (t.target.volumeSnapshotter !== undefined)
        expect(kinds.includes("VolumeSnapshotter"), `no VolumeSnapshotter ${t.provider} in ${shown}`);
    },
  },
  {
    id: "lister/list/kinds-are-known",
    title: "the server knows every listed kind",
    rule: "lists-known-kinds",
    run: async (t) => {
      for (const { kind, name } of await (await t.start()).listPlugins())
        expect(isPluginKind(kind), `${name} is listed as a ${JSON.stringify(kind)}`);
    },
  },
  {
    id: "lister/list/names-are-valid",
    title: "every listed name is a DNS subdomain, one slash and a rest",
    rule: "lists-valid-names",
    run: async (t) => {
      for (const { name } of await (await t.start()).listPlugins())
        try {
          validatePluginName(name);
        } catch (error) {
          fail(`${JSON.stringify(name)}: ${String(error)}`);
        }
    },
  },
  {
    id: "lister/list/no-duplicates",
    title: "no kind and name is listed twice",
    rule: "lists-no-duplicates",
    run: async (t) => {
      const listed = (await (await t.start()).listPlugins()).map(({ kind, name }) => `${kind} ${name}`);

      expectEqual(
        listed.filter((entry, index) => listed.indexOf(entry) !== index),
        [],
        "what is listed twice",
      );
    },
  },
  {
    id: "lister/list/command-is-the-path",
    title: "every listed command is the path by which the executable was started",
    rule: "lists-its-own-path",
    run: async (t) => {
      for (const { command, kind } of await (await t.start()).listPlugins())
        expectEqual(command, t.command, `the command of ${kind}`);
    },
  },
  {
    id: "lister/list/command-is-the-link",
    title: "started through a symbolic link it lists the link, not what the link leads to",
    rule: "lists-its-own-path",
    run: async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "conformance-link-"));
      t.own(async () => await rm(folder, { recursive: true, force: true }));
      const link = join(folder, basename(t.command));
      await symlink(t.command, link);
      const session = await PluginSession.start({ ...t.place, env: t.target.env, command: link });
      t.own(() => session.dispose());

      for (const { command, kind } of await session.listPlugins()) expectEqual(command, link, `the command of ${kind}`);
    },
  },
  {
    id: "lister/list/answers-the-same",
    title: "the list is the same before and after an Init, and in another process",
    rule: "lists-itself",
    run: async (t) => {
      const session = await t.start();
      const before = await session.listPlugins();

      if (t.target.objectStore !== undefined) await t.openObjectStore({ session });
      if (t.target.volumeSnapshotter !== undefined) await t.openVolumeSnapshotter({ session });

      expectEqual(await session.listPlugins(), before, "the list after Init");
      expectEqual(await (await t.start()).listPlugins(), before, "the list of another process");
    },
  },
];
