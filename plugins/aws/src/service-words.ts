import type { Attempt, Meaning } from "@flotilla/sdk/network";

const maxLength = 600;
// What the SDK says where an answer has no text.
const noWords = new Set(["", "UnknownError"]);

/**
 * The meaning of a refusal with the service's own text, which tells what no code does: the principal, the policy that
 * denies, the KMS key, the parameter. Where it names another permission than the request's, that is the one to grant.
 */
export function inItsWords(meaning: Meaning, { code, message }: ServiceText, attempt: Attempt): Meaning {
  // What needs `sts:DecodeAuthorizationMessage` to be read, after the same in plain words.
  const line = message.replace(/(?<=not authorized to perform: .*) Encoded authorization failure message: .*/s, "");
  const words = line.replaceAll(/\s+/g, " ").trim();
  if (noWords.has(words) || words === code || words.includes("<")) return meaning;
  const short = words.length <= maxLength ? words : `${words.slice(0, maxLength)}…`;
  const text = `${meaning.text}: ${short.replace(/\.$/, "")}`;
  return { ...meaning, text, remedy: remedyOf(words, attempt) ?? meaning.remedy };
}

interface ServiceText {
  readonly code: string;
  readonly message: string;
}

function remedyOf(words: string, { permission }: Attempt): string | undefined {
  const action = /not authorized to perform: ([\w-]+:\w+)/.exec(words)?.[1];
  if (action === undefined) return undefined;
  if (/explicit deny/.test(words)) return `remove the explicit deny of ${action}`;
  return permission.split(" ").includes(action) ? undefined : `grant ${action}`;
}
