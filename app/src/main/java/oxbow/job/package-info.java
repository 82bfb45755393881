/**
 * The jobs of foreground commands: clone, compare, demonstrate. They put together devices, targets
 * and servers, watch them, and take them apart in the right order.
 */
@NullMarked
package oxbow.job;

import org.jspecify.annotations.NullMarked;
