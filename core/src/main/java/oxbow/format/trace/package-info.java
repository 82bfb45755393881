/**
 * The record of the order in which a device was touched: a text of lines.
 *
 * @see "docs/format/trace.md"
 */
@NullMarked
package oxbow.format.trace;

import org.jspecify.annotations.NullMarked;
