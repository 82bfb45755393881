/**
 * Many devices in one process: their names, tables and exports, what is kept of them across
 * restarts, and dmsetup's verbs that change them. Runs on threads of the control socket; nothing
 * here is on the data path.
 */
@NullMarked
package oxbow.daemon;

import org.jspecify.annotations.NullMarked;
