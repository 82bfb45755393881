package oxbow.target.snapshot;

/**
 * Bytes for a store.
 *
 * @param bytes whole sectors, at most 1 MiB; never changed any more
 */
record Write(long offsetBytes, byte[] bytes) {}
