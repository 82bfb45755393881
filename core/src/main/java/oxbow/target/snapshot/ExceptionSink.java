package oxbow.target.snapshot;

/** Takes the exceptions that a store has, run by run, in the order in which they were committed. */
@FunctionalInterface
interface ExceptionSink {
  /** Chunk {@code oldChunk + i} of the origin is found in chunk {@code newChunk + i}. */
  void put(long oldChunk, long newChunk, long count);
}
