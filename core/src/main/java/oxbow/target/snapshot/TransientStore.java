package oxbow.target.snapshot;

/** A store that is forgotten with its device: all of it is data, nothing is written but data. */
final class TransientStore extends ExceptionStore {
  TransientStore(long chunkSectors, long storeBytes) {
    super(chunkSectors, storeBytes, 0);
  }

  @Override
  long neighbours(long chunk) {
    return Long.MAX_VALUE;
  }

  @Override
  long dataChunkFrom(long chunk) {
    return chunk;
  }

  @Override
  long shownFree() {
    return nextFree();
  }

  @Override
  long metadataChunks() {
    return 0;
  }
}
