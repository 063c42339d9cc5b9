import { GceError, invalidField } from "./gce-error.ts";

const nameForm = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const maxDescription = 2048;

/** Reads the name of a new resource. */
export function readName(body: Readonly<Record<string, unknown>>): string {
  const { name } = body;
  if (name === undefined || name === "") {
    throw new GceError(400, "required", "Required field 'resource.name' not specified");
  }
  if (typeof name === "string" && nameForm.test(name)) return name;
  throw invalidField("resource.name", name, "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'");
}

/** Reads a description. */
export function readDescription(body: Readonly<Record<string, unknown>>): { readonly description?: string } {
  const { description } = body;
  if (description === undefined || description === null || description === "") return {};
  if (typeof description === "string" && description.length <= maxDescription) return { description };
  throw invalidField(
    "resource.description",
    "",
    `The description must not be longer than ${maxDescription} characters.`,
  );
}
