/**
 * The snapshot targets: a snapshot shows an origin as it was, and keeps in its store the chunks in
 * which the two differ. An exception says where: chunk <i>old</i> of the origin is chunk <i>new</i>
 * of the store.
 */
@NullMarked
package oxbow.target.snapshot;

import org.jspecify.annotations.NullMarked;
