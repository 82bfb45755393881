/**
 * Snapshots: {@code snapshot}, {@code snapshot-origin} and {@code snapshot-merge}.
 *
 * <pre>
 * snapshot        &lt;origin&gt; &lt;COW device&gt; &lt;P|PO|N&gt; &lt;chunk size&gt; [&lt;#features&gt; [&lt;feature&gt;]*]
 * snapshot-merge  &lt;origin&gt; &lt;COW device&gt; &lt;P|PO&gt;   &lt;chunk size&gt; [&lt;#features&gt; [&lt;feature&gt;]*]
 * snapshot-origin &lt;origin&gt;
 * </pre>
 *
 * <p>A snapshot shows an origin as it was when the snapshot began, and takes writes of its own. An
 * <em>exception</em> says that a chunk of the origin is found in the store (the COW device)
 * instead: its old contents, saved before a write to the origin, or what the snapshot's user has
 * written. A merge takes exceptions back to the origin, the newest first.
 *
 * <p>The house: {@code Snapshot...Target} are the callbacks; {@code SnapshotCore}, {@code
 * MergeCore} and {@code OriginWrites} decide; {@code OriginFamily} is what the targets of one
 * origin share, and {@code StoreUse} who has which store. {@code Exceptions} is what a store says:
 * an {@code ExceptionTable} to look into and an {@code ExceptionStore} to append to, which {@code
 * StoreCommits} makes durable in turns and {@code Releases} makes passable for the origin.
 *
 * <p>Status: {@code <allocated>/<total> <metadata>} in sectors, or {@code Invalid}, {@code Merge
 * failed}, {@code Overflow}. Messages: {@code store_grew} (a snapshot's; Oxbow's own).
 *
 * @see "docs/targets/snapshot.md; docs/format/snapshot.md; invariants stand in the classes"
 */
@NullMarked
package oxbow.target.snapshot;

import org.jspecify.annotations.NullMarked;
