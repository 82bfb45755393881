/** A device of zeros that forgets what is written to it, as device-mapper's zero target. */
@NullMarked
package oxbow.device.zero;

import org.jspecify.annotations.NullMarked;
