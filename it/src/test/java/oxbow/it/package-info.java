/**
 * Oxbow beside programs that others wrote: clients and servers of NBD, the kernel's own targets,
 * the launcher as users call it. {@code *Test} runs with every build, {@code *IT} once the program
 * is packaged. What a test needs and does not find makes it skip and say so; where {@code CI} is
 * set, it fails.
 */
@NullMarked
package oxbow.it;

import org.jspecify.annotations.NullMarked;
