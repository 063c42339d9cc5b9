import { join } from "node:path";
import { parseArgs } from "node:util";
import { libraryFolderName, programName } from "./executable-name.ts";
import { outputFolder, parsePlatform } from "./platform.ts";
import { writeRuntimeLibraries } from "./runtime-libraries.ts";
import { readManifest } from "./workspace.ts";

// A program, run in a plugin's folder after build-plugin: puts the shared libraries, and a program that it starts, beside
// the executable.

const { values } = parseArgs({ options: { platform: { type: "string" } } });
const platform = parsePlatform(values.platform);
const name = programName(readManifest(process.cwd()));
writeRuntimeLibraries(platform, name, join(outputFolder(process.cwd(), platform), libraryFolderName(name)));
