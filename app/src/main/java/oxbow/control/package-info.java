/**
 * What devices this process has, and how others ask about them: the control socket with
 * device-mapper's verbs. The protocol is HTTP with JSON; {@code openapi.json} and {@code
 * docs/control.md} describe it. Runs on threads of its own: nothing here is on the data path.
 */
@NullMarked
package oxbow.control;

import org.jspecify.annotations.NullMarked;
