/** Where a rule comes from. `ours` is a promise that no text of Velero makes and that a careful operator still wants kept. */
type RuleOrigin = "Velero" | "go-plugin" | "ours";

/** What a plugin must do. Written for users: the rules are the content of docs/protocol.md. */
export interface Rule {
  /** One sentence. */
  readonly text: string;
  readonly origin: RuleOrigin;
  /** The file of Velero v1.18.3 or go-plugin v1.7.0, or the page of the documentation, that shows it. */
  readonly source: string;
  /** What the server would do with a plugin that breaks it. */
  readonly consequence: string;
}

/** Lets a table of rules keep the names of its entries. */
export function defineRules<const T extends Readonly<Record<string, Rule>>>(rules: T): T {
  return rules;
}
