package oxbow.inspect;

import java.util.List;
import oxbow.format.Fault;

/**
 * Something wrong with what is stored.
 *
 * @param what a sentence with what was found and what was expected
 * @param blockNr the block in question
 * @param path the blocks that lead there, from the superblock on; empty when none does
 */
public record Problem(Fault fault, String what, long blockNr, List<Long> path) {}
