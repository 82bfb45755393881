/** The linear target: part of a device, as a device. */
@NullMarked
package oxbow.target.linear;

import org.jspecify.annotations.NullMarked;
