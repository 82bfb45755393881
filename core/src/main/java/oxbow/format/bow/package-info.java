/**
 * The log of dm-bow, "backup on write": block 0 of a device at a checkpoint says which old contents
 * were copied where. Bytes to values and back; nothing is kept here.
 *
 * <p>Both originals write native integers. Every log in the field is little-endian, and so is the
 * format here; a big-endian log is recognised and refused.
 *
 * @see "docs/format/bow.md"
 */
@NullMarked
package oxbow.format.bow;

import org.jspecify.annotations.NullMarked;
