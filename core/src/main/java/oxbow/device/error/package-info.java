/** A device that fails every request, as device-mapper's error target. */
@NullMarked
package oxbow.device.error;

import org.jspecify.annotations.NullMarked;
