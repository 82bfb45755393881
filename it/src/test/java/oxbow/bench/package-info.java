/**
 * Benchmarks of the hot path, run by {@code bin/jmh}: what one step costs, in nanoseconds and in
 * bytes allocated. How fast the whole is beside its peers, {@code it/bench/compare} says.
 */
@NullMarked
package oxbow.bench;

import org.jspecify.annotations.NullMarked;
