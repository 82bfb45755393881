/** The log of dm-log-writes: a super sector, then entries, each followed by what was written. */
@NullMarked
package oxbow.format.logwrites;

import org.jspecify.annotations.NullMarked;
