/** The flakey target: a device that works for a while, and then for a while does not. */
@NullMarked
package oxbow.target.flakey;

import org.jspecify.annotations.NullMarked;
