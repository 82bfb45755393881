/**
 * A device in front of another that tells somebody of every request, and what may be made of that:
 * which blocks were touched, and in which order. Where nobody wants to know there is no such
 * device, and nothing costs anything.
 */
@NullMarked
package oxbow.device.watch;

import org.jspecify.annotations.NullMarked;
