import { Command } from "commander";

/** A command that only holds others. */
export function nounCommand(name: string, description: string, subcommands: readonly Command[]): Command {
  const noun = new Command(name).description(description).showHelpAfterError("(add --help for the commands)");
  for (const subcommand of subcommands) noun.addCommand(subcommand);
  return noun;
}
