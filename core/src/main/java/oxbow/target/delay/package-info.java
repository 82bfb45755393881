/** The delay target: requests go to a device later than they came. */
@NullMarked
package oxbow.target.delay;

import org.jspecify.annotations.NullMarked;
