/**
 * Devices that others have described: lines of {@code /etc/clonetab}, and what {@code dmsetup
 * table} prints, become tables for the daemon. Reads sizes and numbers of devices; makes nothing.
 *
 * @see "docs/daemon.md, Import"
 */
@NullMarked
package oxbow.imports;

import org.jspecify.annotations.NullMarked;
