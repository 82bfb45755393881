package oxbow.format.ext;

/**
 * Feature bits of a file system.
 *
 * @param compat u32, what a reader may ignore
 * @param incompat u32, what a reader must know
 * @param readOnlyCompat u32, what a writer must know; some say how bitmaps are to be read
 * @see "docs/format/ext-free.md, Features"
 */
public record ExtFeatures(long compat, long incompat, long readOnlyCompat) {
  public static final long COMPAT_SPARSE_SUPER2 = 0x200;

  public static final long INCOMPAT_RECOVER = 0x4;
  public static final long INCOMPAT_META_BG = 0x10;
  public static final long INCOMPAT_64BIT = 0x80;
  public static final long INCOMPAT_CSUM_SEED = 0x2000;

  public static final long READ_ONLY_SPARSE_SUPER = 0x1;
  public static final long READ_ONLY_GDT_CSUM = 0x10;
  public static final long READ_ONLY_BIGALLOC = 0x200;
  public static final long READ_ONLY_METADATA_CSUM = 0x400;
  public static final long READ_ONLY_ORPHAN_PRESENT = 0x1_0000;

  /**
   * Directory entries with types, the journal flag (refused by name), meta_bg, extents, 64bit,
   * flex_bg, ea_inode, dirdata, csum_seed, largedir, inline_data, encrypt, casefold.
   */
  private static final long KNOWN_INCOMPAT = 0x3_F6D6;

  /**
   * Sparse_super, large_file, btree_dir, huge_file, gdt_csum, dir_nlink, extra_isize, quota,
   * bigalloc, metadata_csum, read-only, project, verity, the orphan flag (refused by name).
   */
  private static final long KNOWN_READ_ONLY = 0x1_B77F;

  public boolean hasCompat(long bit) {
    return (compat & bit) != 0;
  }

  public boolean hasIncompat(long bit) {
    return (incompat & bit) != 0;
  }

  public boolean hasReadOnly(long bit) {
    return (readOnlyCompat & bit) != 0;
  }

  /** Bits that a reader should know and we do not; 0 if there are none. */
  public long unknownIncompat() {
    return incompat & ~KNOWN_INCOMPAT;
  }

  /** The same of those that a writer should know: one of them may change what bitmaps mean. */
  public long unknownReadOnly() {
    return readOnlyCompat & ~KNOWN_READ_ONLY;
  }

  public boolean isBigalloc() {
    return hasReadOnly(READ_ONLY_BIGALLOC);
  }

  public boolean hasMetadataChecksums() {
    return hasReadOnly(READ_ONLY_METADATA_CSUM);
  }

  /** Whether descriptors carry a checksum, of either kind; only then their flags count. */
  public boolean hasDescriptorChecksums() {
    return hasMetadataChecksums() || hasReadOnly(READ_ONLY_GDT_CSUM);
  }
}
