/**
 * How requests flow and wait: a mapped device asks its target where each request goes, splits it,
 * carries out what the target's core wants done ({@link oxbow.mapped.EffectRunner}), and holds
 * requests while suspended. It is a {@link oxbow.block.BlockDevice} itself; that is all stacking
 * is.
 *
 * <p>Locks, in the order they may be taken: the owner's lock of a mapped device ({@link
 * oxbow.mapped.Owner}), then those of the pools; none is held across I/O or a completion.
 */
@NullMarked
package oxbow.mapped;

import org.jspecify.annotations.NullMarked;
