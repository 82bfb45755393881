/**
 * How Oxbow speaks to people and scripts: one-line errors, the progress bar, JSON lines. Standard
 * output carries results only; everything else goes to standard error.
 */
@NullMarked
package oxbow.console;

import org.jspecify.annotations.NullMarked;
