/**
 * The persistent exception store of dm-snapshot: a header, then areas of exceptions, each followed
 * by the chunks that its exceptions point to. Bytes to values and back; nothing is kept here.
 *
 * @see "docs/format/snapshot.md"
 */
@NullMarked
package oxbow.format.snapshot;

import org.jspecify.annotations.NullMarked;
