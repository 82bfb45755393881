/** Seam. */
@NullMarked
package oxbow.device;

import org.jspecify.annotations.NullMarked;
