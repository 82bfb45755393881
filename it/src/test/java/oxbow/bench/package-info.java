/** Benchmarks, run by {@code bin/jmh}; whole programs are measured by {@code it/bench/compare}. */
@NullMarked
package oxbow.bench;

import org.jspecify.annotations.NullMarked;
