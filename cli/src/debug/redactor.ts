import { looksRandom } from "./looks-random.ts";
import { secretForms } from "./secret-forms.ts";

/** What stands in the place of a secret. */
export const redacted = "(redacted)";

/** Names of what holds a secret, wherever names have values. */
export const secretName =
  /secret|passw|passphrase|pwd|token|api[-_]?key|(access|account|private|shared|storage|encryption|customer|signing)[-_]?key|credential|connection[-_]?string|authorization(?![a-z])|cookie|signature(?![a-z])|\bsas\b/i;

// The value of a name: in quotes, or up to white space or what separates it from the next.
const valueOf = String.raw`("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]|[^\s,;&"'}\]]+)`;
// Nothing of any length stands before what is looked for: a log may hold a line of megabytes.
// What a name in a message has behind it, where it is not in quotes: a word may be the first of several.
const passwords = "passw(?:or)?d|passphrase|pwd";
const patterns: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
    redacted,
  ],
  // Who speaks to a URL: user and password, or a token alone.
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>]+@/gi, `$1${redacted}@`],
  [/([a-z][a-z0-9+.-]{0,20}%3A%2F%2F)(?:(?!%2F|%40)[^\s/@"'<>&])+%40/gi, `$1${redacted}%40`],
  // Signed URLs.
  [
    /((?:[?&;]|%3F|%26|\\u0026|^)(?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|skoid|sktid|signature|awsaccesskeyid|googleaccessid)(?:=|%3D))[^&\s"'<>]+/gi,
    `$1${redacted}`,
  ],
  [/\b(Bearer|Basic|SharedKey(?:Lite)?)(?:\s+|%20)[^\s"'(][^\s"']{7,}/gi, `$1 ${redacted}`],
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*\[?\s*["']?)(?:[A-Za-z][\w-]*\s+)?[^\s"'\],]+/gi, `$1${redacted}`],
  [/\b((?:set-)?cookie["']?\s*[:=]\s*\[?\s*["']?)[^\r\n"'\]]+/gi, `$1${redacted}`],
  // A variable as pods have it, in JSON and in YAML.
  [
    new RegExp(
      String.raw`(\\?["']?name\\?["']?\s*:\s*\\?["']?[\w.-]*(?:${secretName.source})[\w.-]*\\?["']?\s*,?\s*\\?["']?value\\?["']?\s*:\s*\\?)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',}]+)`,
      "gi",
    ),
    `$1${redacted}`,
  ],
  // As a flag of a command line.
  [
    /(--(?:[\w-]{1,40}-)?(?:password|passphrase|secret|token|api-key|account-key|access-key|secret-key)\s+)("[^"]*"|'[^']*'|\S+)/gi,
    `$1${redacted}`,
  ],
  // As YAML has it: words to the end of the line, or lines that are indented.
  [
    new RegExp(
      String.raw`^(([ \t]*)(?:- )?[\w.-]*(?:${secretName.source})[\w.-]*:[ \t]*)[|>][+-]?\d?[ \t]*(?:\r?\n(?:\2[ \t]+\S[^\n]*|[ \t]*(?=\r?\n)))+`,
      "gim",
    ),
    `$1${redacted}`,
  ],
  [
    new RegExp(
      String.raw`((?:^|["']|\\n)[ \t]*(?:- )?[\w.-]*(?:${passwords})[\w.-]*:[ \t]+)(?![|>"'\[{])[^\r\n"]+`,
      "gim",
    ),
    `$1${redacted}`,
  ],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{12,}\b/g, redacted],
  [/\beyJ[\w-]{8,}(?:\.[\w-]+){0,4}/g, redacted],
  [/\bya29\.[\w.-]+/g, redacted],
  [
    new RegExp(
      String.raw`((?:${secretName.source})[\w.-]*(?:\\?["'])?(?:\s*(?:[:=]|%3D)\s*))(?!\(redacted\))${valueOf}`,
      "gi",
    ),
    `$1${redacted}`,
  ],
];

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
    for (const [pattern, replacement] of patterns) {
      clean = clean.replace(pattern, replacement);
    }
    return clean.replace(hexadecimal, redacted).replace(tokens, (token) => (looksRandom(token) ? redacted : token));
  }

  /** A JSON value without secrets; what a name calls a secret goes whole. */
  json(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.json(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]: [string, unknown]) => [
        this.text(name),
        secretName.test(name) && isWhole(item) ? redacted : this.json(item),
      ]),
    );
  }

  /** Whether a text still holds a known secret: what is written is looked through once more. */
  finds(text: string): boolean {
    return this.#known !== undefined && text.search(this.#known) >= 0;
  }
}

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
