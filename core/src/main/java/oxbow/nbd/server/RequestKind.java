package oxbow.nbd.server;

import oxbow.nbd.wire.Nbd;

/** Requests of clients, as they are counted. */
public enum RequestKind {
  READ(0, true),
  WRITE(1, true),
  TRIM(2, true),
  WRITE_ZEROES(3, true),
  FLUSH(4, false),
  /** CACHE, BLOCK_STATUS, and what is no command at all. */
  OTHER(5, false);

  static final int COUNT = values().length;

  /** From 0; where a meter counts it. */
  final int index;

  /** Whether the length of such a request says how much is read or changed. */
  final boolean hasBytes;

  RequestKind(int index, boolean hasBytes) {
    this.index = index;
    this.hasBytes = hasBytes;
  }

  static RequestKind of(int command) {
    return switch (command) {
      case Nbd.CMD_READ -> READ;
      case Nbd.CMD_WRITE -> WRITE;
      case Nbd.CMD_TRIM -> TRIM;
      case Nbd.CMD_WRITE_ZEROES -> WRITE_ZEROES;
      case Nbd.CMD_FLUSH -> FLUSH;
      default -> OTHER;
    };
  }
}
