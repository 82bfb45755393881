/** The zero target: reads as zeros, and forgets what is written. */
@NullMarked
package oxbow.target.zero;

import org.jspecify.annotations.NullMarked;
