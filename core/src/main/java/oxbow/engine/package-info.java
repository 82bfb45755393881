/**
 * Event loops, sockets, disk calls, timers and buffers. Completion-based: work is submitted, and
 * its end is told to a handler on the loop that owns it. One interface, at present with an NIO
 * implementation; io_uring fits behind the same one.
 */
@NullMarked
package oxbow.engine;

import org.jspecify.annotations.NullMarked;
