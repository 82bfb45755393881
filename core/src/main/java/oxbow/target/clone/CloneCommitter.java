package oxbow.target.clone;

import oxbow.block.Errno;

/** Makes recorded regions durable in metadata. Blocks; one call at a time. */
interface CloneCommitter {
  /** Returned by {@link #commit} when the metadata cannot even be read any more (M5). */
  int UNREADABLE = Errno.ESHUTDOWN;

  /** Returns 0, an error number, or {@link #UNREADABLE}. */
  int commit(RegionSet regions);

  /** For people: what failed when a turn, destination flush or commit, ended with this error. */
  default String why(int errno) {
    return Errno.describe(errno);
  }

  /** All regions are committed: there is nothing more to come (M7). Does not block. */
  default void release() {}
}
