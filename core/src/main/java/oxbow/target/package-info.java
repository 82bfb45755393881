/**
 * What a target is: it decides, the frame ({@code oxbow.mapped}) acts. A target answers where a
 * request goes from memory alone ({@link oxbow.target.Target#map}); whatever needs more is queued
 * to its core, which one thread at a time enters and which answers with {@link
 * oxbow.target.Effects}. No target knows sockets, files, threads, clocks, locks or another target.
 */
@NullMarked
package oxbow.target;

import org.jspecify.annotations.NullMarked;
