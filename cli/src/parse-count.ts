import { InvalidArgumentError } from "commander";

/** Reads a flag's number of things. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1000) return count;
  throw new InvalidArgumentError("give a whole number from 1 to 1000");
}
