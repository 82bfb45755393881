package oxbow.format.bow;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/** What the first four bytes of a device say about a log. */
public enum BowMagic {
  /** A checkpoint, to be committed or rolled back. */
  BOW(0x0057_4F42L),
  /** A checkpoint whose roll-back has begun, and can only be finished. */
  WOB(0x0042_4F57L),
  /** A log of a big-endian machine, which nobody reads. */
  BIG_ENDIAN(0x424F_5700L),
  /** The same with a roll-back begun. */
  BIG_ENDIAN_WOB(0x574F_4200L),
  /** No log. */
  NONE(-1);

  /** How much of a device's beginning is needed. */
  public static final int SIZE_BYTES = 4;

  private final long value;

  BowMagic(long value) {
    this.value = value;
  }

  /** As stored; negative for {@link #NONE}. */
  public long value() {
    return value;
  }

  /** Looks at the four bytes at an offset. */
  public static BowMagic of(byte[] bytes, int at) {
    return of(Le.getU32(bytes, at));
  }

  /** The meaning of a stored u32. */
  public static BowMagic of(long value) {
    for (BowMagic magic : values()) {
      if (magic.value == value) {
        return magic;
      }
    }
    return NONE;
  }

  /** Whether it is one of a log that can be read. */
  public boolean isLog() {
    return this == BOW || this == WOB;
  }

  /** Fails for what is not a log that can be read. */
  static void check(long value) throws FormatException {
    switch (of(value)) {
      case BOW, WOB -> {}
      case BIG_ENDIAN, BIG_ENDIAN_WOB ->
          throw new FormatException(Fault.MAGIC, 0, "big-endian log, unsupported");
      case NONE ->
          throw new FormatException(
              Fault.MAGIC,
              0,
              "no log: magic %08x, expected %08x or %08x".formatted(value, BOW.value, WOB.value));
    }
  }
}
