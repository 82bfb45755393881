package oxbow.imports;

/** The kinds of text that devices are read from. */
public enum ImportFormat {
  /** Systemd's table of clone devices. */
  CLONETAB,
  /** What {@code dmsetup table} prints. */
  DMSETUP;

  /** What a text looks like, by its first line that says something. */
  public static ImportFormat of(String text) {
    return text.lines()
        .filter(line -> !Clonetab.isComment(line))
        .findFirst()
        .map(line -> DmsetupTables.isLine(line) ? DMSETUP : CLONETAB)
        .orElse(CLONETAB);
  }
}
