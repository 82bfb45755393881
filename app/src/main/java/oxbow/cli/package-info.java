/**
 * What a user types and sees: one class for each command, which reads its options, lets {@code job}
 * or {@code control} do the work, and shows the result. Exit status: 0 done, 1 the job failed, 2
 * the command line is wrong.
 */
@NullMarked
package oxbow.cli;

import org.jspecify.annotations.NullMarked;
