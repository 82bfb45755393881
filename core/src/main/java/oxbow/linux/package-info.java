/**
 * The system calls that the JDK does not offer: those that disks need, behind {@link
 * oxbow.linux.DiskFile}, and those of a service, behind {@link oxbow.linux.ServiceManager}. This is
 * the only package that uses {@link java.lang.foreign.Linker}. Where native access is missing, the
 * portable implementation stands in and says honestly what it cannot do.
 */
@NullMarked
package oxbow.linux;

import org.jspecify.annotations.NullMarked;
