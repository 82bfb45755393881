/**
 * What lies on a device, offline: recognise it, check every structure of it, describe it. Never
 * writes.
 */
@NullMarked
package oxbow.inspect;

import org.jspecify.annotations.NullMarked;
