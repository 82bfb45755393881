/** The one place where all targets are seen together: which there are, by name. */
@NullMarked
package oxbow.targets;

import org.jspecify.annotations.NullMarked;
