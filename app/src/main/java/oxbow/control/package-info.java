/**
 * What devices this process has, and how others ask about them: the control socket with
 * device-mapper's verbs. The protocol is one JSON object a line each way; {@code docs/control.md}
 * describes it. Runs on threads of its own: nothing here is on the data path.
 */
@NullMarked
package oxbow.control;

import org.jspecify.annotations.NullMarked;
