/**
 * Regular files and block devices of this machine.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>F1. A request is durable only after an fdatasync that began after its data was written.
 *   <li>F2. Once an fdatasync has failed, no later one succeeds (O3): Linux may have dropped the
 *       pages and reports an error only once.
 *   <li>F3. A device is locked before anything of it is read for good (O11), until it is closed.
 *   <li>F4. A range is called a hole only where reads return zeros (O6).
 * </ol>
 */
@NullMarked
package oxbow.device.file;

import org.jspecify.annotations.NullMarked;
