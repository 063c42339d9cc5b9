import { defineRules } from "./rule.ts";

/** What the executable says of itself. */
export const listerRules = defineRules({
  "lists-itself": {
    text: "ListPlugins answers the implementations of the executable.",
    origin: "Velero",
    source: "pkg/plugin/clientmgmt/process/registry.go: DiscoverPlugins",
    consequence: "An error here ends the server at its start.",
  },
  "lists-known-kinds": {
    text: "Every listed kind is one that the server knows, and PluginLister is not among them.",
    origin: "Velero",
    source: "pkg/plugin/framework/common/plugin_kinds.go; pkg/plugin/clientmgmt/process/registry.go: register",
    consequence: 'The server does not start: "invalid plugin kind".',
  },
  "lists-valid-names": {
    text: "Every listed name is a DNS-1123 subdomain, one slash, and a non-empty rest.",
    origin: "Velero",
    source: "pkg/plugin/framework/server_mux.go: ValidatePluginName",
    consequence: "The server does not start.",
  },
  "lists-no-duplicates": {
    text: "No kind and name is listed twice.",
    origin: "Velero",
    source: "pkg/plugin/clientmgmt/process/registry.go: register",
    consequence: "The server does not start: another plugin is already registered for this kind and name.",
  },
  "lists-its-own-path": {
    text: "The listed command is exactly the path by which the executable was started.",
    origin: "Velero",
    source: "pkg/plugin/clientmgmt/process/registry.go: the identifier's Command is what is executed later",
    consequence: "The server executes something else, or nothing, when it needs the plugin.",
  },
});
