/** A device in memory, for trying things out and for tests. */
@NullMarked
package oxbow.device.mem;

import org.jspecify.annotations.NullMarked;
