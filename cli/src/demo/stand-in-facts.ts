/** What a program of stand-ins printed: endpoints, identities. */
export type StandInFacts = Readonly<Record<string, string>>;

/** A fact that the program must have printed. */
export function requireFact(facts: StandInFacts, name: string): string {
  const value = facts[name];
  if (typeof value !== "string") throw new Error(`the stand-ins did not say their ${name}`);
  return value;
}
