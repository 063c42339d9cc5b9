/** The domain of every name of our own: tags, marks, annotations, implementation names. A placeholder for now. */
export const ownDomain = "flotilla.io";
