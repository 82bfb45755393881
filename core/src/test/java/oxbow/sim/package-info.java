/**
 * Simulated machines for tests of any target: what disks may do to us when power fails, or when
 * they fail themselves; a frame that carries out what any targets decide, and ends nothing by
 * itself; all ways through a scenario; histories by seeds. Everything is decided by the test or by
 * its seed.
 *
 * @see "docs/testing/crash.md"
 */
@NullMarked
package oxbow.sim;

import org.jspecify.annotations.NullMarked;
