import { looksRandom } from "./looks-random.ts";
import { secretForms } from "./secret-forms.ts";
import { redacted, secretName, secretPatterns, withoutDataOfSecrets } from "./secret-patterns.ts";

const tokens = /[A-Za-z0-9+/_=%~.-]{24,}/g;
const hexadecimal = /(?<!sha256:)(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9A-F]{64}|[0-9a-f]{128})(?![0-9a-f])/gi;

/**
 * Takes secrets out of texts: those that are known, in whatever form they are met, and whatever looks like one. It errs on
 * the side of taking too much.
 */
export class Redactor {
  readonly #known: RegExp | undefined;

  constructor(secrets: readonly Uint8Array[]) {
    const forms = [...new Set(secrets.flatMap(secretForms))].toSorted((a, b) => b.length - a.length);
    this.#known = forms.length === 0 ? undefined : new RegExp(forms.map(asPattern).join("|"), "g");
  }

  /** A text without secrets. */
  text(text: string): string {
    let clean = this.#known === undefined ? text : text.replace(this.#known, redacted);
    clean = withoutDataOfSecrets(clean);
    for (const [pattern, replacement] of secretPatterns) clean = clean.replace(pattern, replacement);
    return clean.replace(hexadecimal, redacted).replace(tokens, (token) => (looksRandom(token) ? redacted : token));
  }

  /** A JSON value without secrets; what a name calls a secret goes whole. */
  json(value: unknown): unknown {
    return this.#json(value, false);
  }

  #json(value: unknown, isSecret: boolean): unknown {
    if (typeof value === "string") return isSecret && value !== "" ? redacted : this.text(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.#json(item, isSecret));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]: [string, unknown]) => {
        // What refers to a Secret of the cluster holds none.
        const isHeld = secretName.test(name) || (isSecret && !references.has(name));
        return [this.text(name), isHeld && isWhole(item) ? redacted : this.#json(item, isHeld)];
      }),
    );
  }

  /** Whether a text still holds a known secret: what is written is looked through once more. */
  finds(text: string): boolean {
    return this.#known !== undefined && text.search(this.#known) >= 0;
  }
}

const references: ReadonlySet<string> = new Set(["name", "namespace", "key", "kind"]);

/** Whether a value goes as it is: of what has names of its own, those decide. */
function isWhole(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isWhole);
  return typeof value === "number" || (typeof value === "string" && value !== "");
}

/** A form as a pattern; a short one only as a word of its own. */
function asPattern(form: string): string {
  const literal = RegExp.escape(form);
  return form.length >= 8 ? literal : String.raw`(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`;
}
