import { ArmError } from "./arm-error.ts";
import type { JsonBody } from "./json-body.ts";

const maxTags = 50;
const maxNameLength = 512;
const maxValueLength = 256;

/** Reads tags and refuses those that ARM refuses. The limits are documented; of their codes only that of the characters is. */
export function readTags(body: JsonBody | undefined): Readonly<Record<string, string>> {
  const entries = body?.entries() ?? [];
  if (entries.length > maxTags) {
    throw refuse("TooManyTags", `The number of tags '${entries.length}' exceeds the maximum limit of '${maxTags}'.`);
  }
  const bad = entries.map(([name]) => name).filter((name) => /[<>%&\\?/\p{Cc}]/u.test(name));
  if (bad.length > 0) {
    throw refuse(
      "InvalidTagNameCharacters",
      `The tag names '${bad.join(", ")}' have reserved characters '<,>,%,&,\\,?,/' or control characters.`,
    );
  }
  const names = new Set(entries.map(([name]) => name.toLowerCase()));
  if (names.size < entries.length) throw refuse("DuplicateTags", "Tag names are the same but for their case.");
  for (const [name, value] of entries) {
    if (name === "" || name.length > maxNameLength) {
      throw refuse(
        "InvalidTagName",
        `The tag name '${name}' has to be between 1 and ${maxNameLength} characters long.`,
      );
    }
    if (value.length > maxValueLength) {
      throw refuse(
        "InvalidTagValueLength",
        `The value of tag '${name}' exceeds the maximum length of ${maxValueLength} characters.`,
      );
    }
  }
  return Object.fromEntries(entries);
}

function refuse(code: string, message: string): ArmError {
  return new ArmError(400, code, message);
}
