/** The error target: nothing succeeds. */
@NullMarked
package oxbow.target.error;

import org.jspecify.annotations.NullMarked;
