import { realpathSync } from "node:fs";
import type { velero } from "@flotilla/sdk/wire";

import { answering } from "./interpose.ts";
import type { WrapMethod } from "./interpose.ts";
import type { Variant } from "./variant.ts";

type Plugins = velero.ListPluginsResponse;

/** Executables that say something wrong of themselves. */
export const listerVariants: readonly Variant[] = [
  {
    name: "lists-the-interpreter",
    breaks: "the listed command is the interpreter of the script",
    caughtBy: "lister/list/command-is-the-path",
    process: () => (process.env["FLOTILLA_COMMAND"] = process.execPath),
  },
  {
    name: "lists-the-real-path",
    breaks: "the listed command is the file behind the link",
    caughtBy: "lister/list/command-is-the-link",
    process: () => (process.env["FLOTILLA_COMMAND"] = realpathSync(process.argv[1] ?? "")),
  },
  {
    name: "lists-an-unknown-kind",
    breaks: "a kind is misspelt",
    caughtBy: "lister/list/kinds-are-known",
    wire: listing((plugins) => plugins.map((plugin) => ({ ...plugin, kind: `${plugin.kind}s` }))),
  },
  {
    name: "lists-the-lister",
    breaks: "the lister lists itself",
    caughtBy: "lister/list/kinds-are-known",
    wire: listing((plugins) => [...plugins, ...plugins.slice(0, 1).map((one) => ({ ...one, kind: "PluginLister" }))]),
  },
  {
    name: "lists-a-name-without-a-slash",
    breaks: "the name lacks its domain",
    caughtBy: "lister/list/names-are-valid",
    wire: listing((plugins) => [...plugins, ...plugins.slice(0, 1).map((one) => ({ ...one, name: "memory" }))]),
  },
  {
    name: "lists-twice",
    breaks: "every implementation is listed twice",
    caughtBy: "lister/list/no-duplicates",
    wire: listing((plugins) => [...plugins, ...plugins]),
  },
  {
    name: "lists-objects-only",
    breaks: "the volume snapshotter is left out",
    caughtBy: "lister/list/registers-the-provider",
    wire: listing((plugins) => plugins.filter(({ kind }) => kind === "ObjectStore")),
  },
  {
    name: "lists-less-each-time",
    breaks: "the list is consumed by its first reader",
    caughtBy: "lister/list/answers-the-same",
    wire: shrinking(),
  },
];

function listing(change: (plugins: Plugins["plugins"]) => Plugins["plugins"]): WrapMethod {
  return answering("/generated.PluginLister/ListPlugins", (answer: Plugins) => ({
    ...answer,
    plugins: change(answer.plugins),
  }));
}

function shrinking(): WrapMethod {
  let calls = 0;
  return listing((plugins) => plugins.slice(calls++));
}
