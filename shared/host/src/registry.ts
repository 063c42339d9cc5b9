import { PluginError } from "@flotilla/sdk/plugin";

import { expandPluginName, isPluginKind, validatePluginName } from "./plugin-name.ts";
import type { PluginKind } from "./plugin-name.ts";

/** One implementation that an executable registers. */
export interface PluginIdentifier {
  /** The path that is executed for it. */
  readonly command: string;
  readonly kind: PluginKind;
  readonly name: string;
}

/** Which executable implements what. Two implementations of one kind and name are refused, as the server refuses them. */
export class Registry {
  readonly #plugins = new Map<string, PluginIdentifier>();

  /** Adds an implementation as an executable listed it; the kind, the name and their uniqueness are checked. */
  register(listed: { readonly command: string; readonly kind: string; readonly name: string }): void {
    const { command, kind, name } = listed;
    if (!isPluginKind(kind)) {
      throw new PluginError(`invalid plugin kind ${JSON.stringify(kind)} (name=${name}, command=${command})`, {
        kind: "invalid-argument",
      });
    }
    validatePluginName(name);
    const former = this.#plugins.get(keyOf(kind, name));
    if (former !== undefined) {
      throw new PluginError(
        `unable to register plugin (kind=${kind}, name=${name}, command=${command}) because another plugin is already ` +
          `registered for this kind and name (command=${former.command}); remove one of the two executables`,
        { kind: "conflict" },
      );
    }
    this.#plugins.set(keyOf(kind, name), { command, kind, name });
  }

  /** The implementation of this kind and name; a bare provider name is expanded. Throws where none is registered. */
  get(kind: PluginKind, name: string): PluginIdentifier {
    const full = expandPluginName(name);
    const plugin = this.#plugins.get(keyOf(kind, full));
    if (plugin !== undefined) return plugin;
    const known = this.list(kind).map((other) => other.name);
    const hint = known.length === 0 ? `no ${kind} is registered` : `registered are ${known.join(", ")}`;
    throw new PluginError(
      `unable to locate ${kind} plugin named ${full}: ${hint}; correct the provider, or add the executable that registers it`,
      { kind: "invalid-config" },
    );
  }

  /** Everything registered, of one kind or of all, by name and kind. */
  list(kind?: PluginKind): readonly PluginIdentifier[] {
    return [...this.#plugins.values()]
      .filter((plugin) => kind === undefined || plugin.kind === kind)
      .toSorted((a, b) => compare(a.name, b.name) || compare(a.kind, b.kind));
  }
}

function keyOf(kind: PluginKind, name: string): string {
  return `${kind} ${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
