/** What the surroundings offer a command; read once in main.ts and handed down. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Prints the result. */
  readonly printOut: (text: string) => void;
  /** Prints progress, notes and errors. */
  readonly printError: (text: string) => void;
  /** Whether errors go to a terminal, where a line can be drawn over. */
  readonly isTerminal: boolean;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** What a command found: as one JSON document, and as text for people. */
export interface Report {
  readonly json: unknown;
  readonly text: string;
  /** Whether something failed although the command ran to its end: exit code 1. */
  readonly isFailure?: boolean;
}
