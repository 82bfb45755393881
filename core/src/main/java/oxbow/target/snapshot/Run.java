package oxbow.target.snapshot;

/** Exceptions of neighbours: chunk {@code oldChunk + i} of the origin is {@code newChunk + i}. */
record Run(long oldChunk, long newChunk, long count) {}
