/**
 * Snapshots of an origin, and their merging back into it.
 *
 * <pre>{@code
 * snapshot        <origin> <COW device> <P|PO|N> <chunk size> [<#features> <feature>*]
 * snapshot-merge  <origin> <COW device> <P|PO>   <chunk size> [<#features> <feature>*]
 * snapshot-origin <origin>
 * features: discard_zeroes_cow, discard_passdown_origin; our own: warn_at:<percent>
 * status:   <allocated>/<total> <metadata>, in sectors; or Invalid, Merge failed, Overflow
 * }</pre>
 *
 * @see "docs/format/snapshot.md"
 */
@NullMarked
package oxbow.target.snapshot;

import org.jspecify.annotations.NullMarked;
