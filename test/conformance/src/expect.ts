import { isDeepStrictEqual } from "node:util";

import { absenceWordIn, WireError } from "./plugin/wire-error.ts";

/** A test's verdict that the plugin broke the rule. Any other error is one of the test's surroundings, and fails it too. */
export class BrokenRule extends Error {
  override readonly name = "BrokenRule";
}

/** Ends the test as failed. */
export function fail(what: string): never {
  throw new BrokenRule(what);
}

/** Fails with this text unless the condition holds. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) fail(what);
}

/** Fails unless both are deeply equal. `what` names the thing: "the keys of the listing". */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  fail(`${what}: expected ${print(expected)}, got ${print(actual)}`);
}

/** Fails unless the bytes are the same; says where they begin to differ. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  if (actual.length !== expected.length)
    fail(`${what}: ${actual.length} bytes came back where ${expected.length} were sent`);
  fail(`${what}: byte ${actual.findIndex((byte, i) => byte !== expected[i])} of ${actual.length} is another`);
}

/** The error of a call that must fail. Succeeding, or failing in another way than with a status, breaks the rule. */
export async function expectError(call: Promise<unknown>, what: string): Promise<WireError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  return fail(`${what} succeeded`);
}

/** An error that says nothing which the server would take for "the object is gone". */
export async function expectFailureNotAbsence(call: Promise<unknown>, what: string): Promise<WireError> {
  const error = await expectError(call, what);
  const word = absenceWordIn(error.message);
  expect(word === undefined, `${what}: the error says "${word}", which the server reads as "gone": ${error.message}`);
  return error;
}

function print(value: unknown): string {
  const text =
    JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${item}` : item)) ?? "nothing";
  return text.length <= 600 ? text : `${text.slice(0, 600)}… (${text.length} characters)`;
}
