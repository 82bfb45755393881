/**
 * Bytes to values and back, one file for each on-disk structure; the packages below are named after
 * who defined the format. Nothing here reads a device, keeps a state or knows of any other package:
 * only {@code java.base}.
 *
 * <p>All formats of device-mapper are little-endian. Every structure names its offsets, and
 * decoding keeps every byte, so that encoding gives back exactly what was read.
 */
@NullMarked
package oxbow.format;

import org.jspecify.annotations.NullMarked;
