import { dataSubsetForms, isDataSubset } from "@flotilla/sdk/plugin";
import { InvalidArgumentError } from "commander";

/** Reads a flag's part of a repository's data. */
export function parseDataSubset(text: string): string {
  if (isDataSubset(text)) return text;
  throw new InvalidArgumentError(`give ${dataSubsetForms}`);
}
