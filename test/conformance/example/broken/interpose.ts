import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Server } from "@grpc/grpc-js";
import type { MethodDefinition, UntypedHandleCall } from "@grpc/grpc-js";

// Faults below the contract, which `serve` would not let through: they sit between it and what it stands on.

/** One method of the wire as it is added to the server. */
export interface WireMethod {
  /** `/generated.ObjectStore/Init`. */
  readonly path: string;
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handle: UntypedHandleCall;
}

/** A method in the place of another; undefined leaves it out. */
export type WrapMethod = (method: WireMethod) => Partial<Omit<WireMethod, "path">> | undefined;

/** The answer of a unary call, or its error, on its way out. */
export type Respond = (error: unknown, answer?: unknown) => void;

/** Lets a function change each method before the server gets it. */
export function wrapMethods(wrap: WrapMethod): void {
  // A prototype's method: it is called with the server below.
  // oxlint-disable-next-line typescript/unbound-method
  const addService = Server.prototype.addService;
  Server.prototype.addService = function addWrapped(service, implementation) {
    const entries = Object.entries(service).flatMap(([name, definition]) => {
      // @grpc/grpc-js types the implementation by the name of any method.
      const handle = implementation[name] as UntypedHandleCall;
      const changed = wrap({ path: definition.path, definition, handle });
      return changed === undefined ? [] : [{ name, definition, handle, ...changed }];
    });
    addService.call(
      this,
      Object.fromEntries(entries.map((entry) => [entry.name, entry.definition])),
      Object.fromEntries(entries.map((entry) => [entry.name, entry.handle])),
    );
  };
}

/** Changes the answer of a unary method. */
export function answering(path: string, change: (answer: never) => unknown): WrapMethod {
  return (method) => {
    if (method.path !== path) return {};
    const handle = method.handle as (call: unknown, respond: Respond) => void;
    const changed = (call: unknown, respond: Respond): void => {
      // The caller knows the type of this method's answer.
      handle(call, (error, answer) => respond(error, answer === undefined ? answer : change(answer as never)));
    };
    return { handle: changed as UntypedHandleCall };
  };
}

/** Puts another function in the place of a method. */
export function handling(path: string, handle: (call: never, respond: Respond) => void): WrapMethod {
  return (method) => (method.path === path ? { handle: handle as UntypedHandleCall } : {});
}

/** Leaves methods out, as if nobody had implemented them. */
export function without(...paths: readonly string[]): WrapMethod {
  return (method) => (paths.includes(method.path) ? undefined : {});
}

/** Lets a function change each text that is written to a standard stream; undefined swallows it. */
export function onWrite(fd: number, change: (text: string) => string | undefined): void {
  const write = fs.writeSync;
  const changed = (target: number, data: string | Uint8Array, offset?: number): number => {
    if (target !== fd) return typeof data === "string" ? write(target, data) : write(target, data, offset);
    const bytes = Buffer.from(data);
    const text = change(bytes.subarray(offset ?? 0).toString());
    if (text !== undefined) write(target, text);
    return bytes.length - (offset ?? 0);
  };
  fs.writeSync = changed as typeof fs.writeSync;
  syncBuiltinESMExports();
}

/** Changes every log line, as the object that it is, or replaces it by other text. */
export function onLog(change: (line: Record<string, unknown>) => string | object): void {
  onWrite(2, (text) => {
    // Written by `serve`: one object of strings a line.
    const changed = change(JSON.parse(text) as Record<string, unknown>);
    return `${typeof changed === "string" ? changed : JSON.stringify(changed)}\n`;
  });
}

/** Keeps stdout open, which `serve` closes, and writes to it. */
export function keepStdout(): void {
  const close = fs.closeSync;
  fs.closeSync = (fd) => {
    if (fd !== 1) close(fd);
  };
  syncBuiltinESMExports();
}
