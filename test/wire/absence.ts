/** The words that the server takes for "the object is gone", whatever else an error says. */
export const absenceWords = /not found|does not exist|nosuchkey|blobnotfound|objectnotexist/i;
