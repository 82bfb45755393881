/**
 * The system calls that disks need and the JDK does not offer, behind {@link oxbow.linux.DiskFile}.
 * This is the only package that uses {@link java.lang.foreign.Linker}. Where native access is
 * missing, the portable implementation stands in and says honestly what it cannot do.
 */
@NullMarked
package oxbow.linux;

import org.jspecify.annotations.NullMarked;
