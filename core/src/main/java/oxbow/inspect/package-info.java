/**
 * What lies on a device, offline: recognise it, check every structure of it, describe it; and the
 * two ways out of a checkpoint, which are all that writes here.
 */
@NullMarked
package oxbow.inspect;

import org.jspecify.annotations.NullMarked;
