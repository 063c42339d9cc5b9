/** What stands in the place of a secret. */
export const redacted = "(redacted)";

/** Names of what holds a secret, wherever names have values. */
export const secretName =
  /secret|passw|passphrase|passcode|(?<![a-z])(?:pass|sas|sig|otp)(?![a-z])|pwd|token|assertion|api[-_]?key|(access|account|private|shared|storage|encryption|customer|signing|master|subscription|functions?|client|hmac|license|ssh|tls)[-_]?key|credential|connection[-_]?string|authorization(?![a-z])|cookie|signature(?![a-z])/i;

const passwords = "passw(?:or)?d|passphrase|pwd";
// As JSON in JSON in JSON has it.
const quote = String.raw`\\{0,7}["']`;
const named = String.raw`[\w.-]{0,64}(?:${secretName.source})[\w.-]{0,64}`;
// Also a quotation mark that nothing closes, as in a line that was cut.
const quoted = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|"[^"\r\n]*$|'[^'\r\n]*$`;
// The value of a name: in quotes, or up to white space or what separates it from the next.
const valueOf = String.raw`(${quoted}|\[[^\]]{0,2000}\]|[^\s,;&"'}\]]+)`;

/** What looks like a secret, and what is left of it. Nothing of any length stands before what is looked for: a log may hold a line of megabytes. */
export const secretPatterns: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
    redacted,
  ],
  // The end of one whose beginning is not in the excerpt.
  [/^(?:[A-Za-z0-9+/=]{1,80}\r?\n){1,120}(?=-----END [A-Z0-9 ]*PRIVATE KEY)/gm, `${redacted}\n`],
  // Who speaks to a URL: user and password, or a token alone; a password may hold a slash, a port is none.
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>]+@/gi, `$1${redacted}@`],
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>:@]{0,200}:(?!\d{1,5}\/)[^\s"'<>@]{1,200}@(?!sha256:)/gi, `$1${redacted}@`],
  [/([a-z][a-z0-9+.-]{0,20}%3A%2F%2F)(?:(?!%2F|%40)[^\s/@"'<>&])+%40/gi, `$1${redacted}%40`],
  // A proxy as it may be named, without the scheme.
  [/(?<![\w.%+-])[\w.%+-]{1,64}:(?!\/\/)[^\s@/"'<>]{1,200}@(?!sha256:)(?=[\w.-]+)/g, `${redacted}@`],
  // Signed URLs.
  [
    /((?:[?&;]|%3F|%26|\\u0026|^)(?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|skoid|sktid|signature|awsaccesskeyid|googleaccessid)(?:=|%3D))[^&\s"'<>]+/gi,
    `$1${redacted}`,
  ],
  [/\b(Bearer|Basic|SharedKey(?:Lite)?)(?:\s+|%20)[^\s"'(][^\s"']{7,}/gi, `$1 ${redacted}`],
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*\[?\s*["']?)(?:[A-Za-z][\w-]*\s+)?[^\s"'\],]+/gi, `$1${redacted}`],
  [/\b((?:set-)?cookie["']?\s*[:=]\s*\[?\s*["']?)[^\r\n"'\]]+/gi, `$1${redacted}`],
  // A registry's user and password, in the configuration of a container engine.
  [new RegExp(String.raw`(${quote}auth${quote}\s*:\s*${quote})[A-Za-z0-9+/=_-]+`, "g"), `$1${redacted}`],
  // A variable as pods have it, in JSON and in YAML, and its fields in either order.
  [
    new RegExp(
      String.raw`(\\?["']?name\\?["']?\s*:\s*\\?["']?${named}\\?["']?\s*,?\s*\\?["']?value\\?["']?\s*:\s*\\?)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',}]+)`,
      "gi",
    ),
    `$1${redacted}`,
  ],
  [
    new RegExp(
      String.raw`(\bvalue\\?["']?\s*:\s*\\?)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',}]+)(?=\\?["']?\s*,?\s*\\?["']?name\\?["']?\s*:\s*\\?["']?${named})`,
      "gi",
    ),
    `$1${redacted}`,
  ],
  // As flags of a command line, also as a list of them.
  [
    new RegExp(
      String.raw`(--(?:[\w-]{1,40}-)?(?:password|passphrase|secret|token|api-key|account-key|access-key|secret-key)(?:-command)?(?:\s+|${quote}\s*,\s*))(\\{0,7}(?:${quoted})|\S+)`,
      "gim",
    ),
    `$1${redacted}`,
  ],
  [/((?:^|[\s"'])(?:-u|--user|--proxy-user)(?:\s*|=))[^\s:"'=]{1,64}:[^\s"']+/gm, `$1${redacted}`],
  // A command that tells a password may have one among its words.
  [new RegExp(String.raw`((?:${passwords})[-_]?command[=:]\s*)(${quoted}|[^\r\n]+)`, "gim"), `$1${redacted}`],
  // As YAML has it: words to the end of the line, or lines that are indented.
  [
    new RegExp(
      String.raw`^(([ \t]*)(?:- )?${named}:[ \t]*)[|>][+-]?\d?[ \t]*(?:\r?\n(?:\2[ \t]+\S[^\n]*|[ \t]*(?=\r?\n)))+`,
      "gim",
    ),
    `$1${redacted}`,
  ],
  [
    new RegExp(
      String.raw`((?:^|["']|\\n)[ \t]*(?:- )?[\w.-]{0,64}(?:${passwords})[\w.-]{0,64}:[ \t]+)(?![|>"'\[{])[^\r\n"]+`,
      "gim",
    ),
    `$1${redacted}`,
  ],
  // As XML has it.
  [new RegExp(String.raw`(<(?:\w+:)?${named}(?:\s[^<>]{0,200})?>)[^<>]+(?=<)`, "gi"), `$1${redacted}`],
  // A password that follows its name as a word of its own: in quotes, or with a digit in it, or beside a login.
  [new RegExp(String.raw`(\blogin\s+\S+\s+password\s+)\S+`, "gi"), `$1${redacted}`],
  [
    new RegExp(
      String.raw`((?:${passwords})(?:\s+|\|)(?:is\s+|was\s+)?)("[^"\r\n]+"|'[^'\r\n]+'|(?=[^\s\d]*\d)[^\s"']+)`,
      "gi",
    ),
    `$1${redacted}`,
  ],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{12,}\b/g, redacted],
  [/\beyJ[\w-]{8,}(?:\.[\w-]+){0,4}/g, redacted],
  [/\bya29\.[\w.-]+/g, redacted],
  [
    new RegExp(
      String.raw`((?:${secretName.source})[\w.-]{0,64}(?:${quote}|%22)?(?:\s*(?:[:=]{1,2}>?|->|%3D|%3A)\s*)(?:\\{0,7}(?=["'])|%22)?)(?!\(redacted\))${valueOf}`,
      "gim",
    ),
    `$1${redacted}`,
  ],
  [/(\b[A-Z0-9_]+_KEY\s*[:=]\s*)(?!\(redacted\))("[^"\r\n]*"?|'[^'\r\n]*'?|[^\s,;&"'}\]]+)/g, `$1${redacted}`],
];

const secretObject = /kind\\{0,7}["']?\s*:\s*\\{0,7}["']?Secret\b/;
const dataInYaml = /^([ \t]*)((?:stringData|data):[ \t]*\r?\n)((?:\1[ \t]+\S[^\n]*(?:\n|$))+)/gm;
const dataInJson = /((?:stringData|data)\\{0,7}["']\s*:\s*)\{[^{}]*\}/g;

/** A text in which the data of Secrets, as a cluster has them, are taken out whole. */
export function withoutDataOfSecrets(text: string): string {
  if (!secretObject.test(text)) return text;
  return text.replace(dataInYaml, `$1$2$1  ${redacted}\n`).replace(dataInJson, `$1"${redacted}"`);
}
