/**
 * Where bytes live: one folder for each kind of device, and the grammar of the addresses by which
 * users name them.
 */
@NullMarked
package oxbow.device;

import org.jspecify.annotations.NullMarked;
