/** Images made by a real kernel, and what the kernel says of them. See the README beside them. */
@NullMarked
package oxbow.golden;

import org.jspecify.annotations.NullMarked;
