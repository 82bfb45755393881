/**
 * Simulated devices for tests: what a disk may do to us when power fails, or when it fails itself.
 * Everything is decided by the test or by its seed.
 */
@NullMarked
package oxbow.sim;

import org.jspecify.annotations.NullMarked;
