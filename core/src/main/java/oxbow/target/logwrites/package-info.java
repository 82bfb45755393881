/**
 * The log-writes target: what is written to a device is also written, in order, to a log. The log
 * itself ({@link oxbow.target.logwrites.WriteLog}) may be shared by several targets.
 */
@NullMarked
package oxbow.target.logwrites;

import org.jspecify.annotations.NullMarked;
