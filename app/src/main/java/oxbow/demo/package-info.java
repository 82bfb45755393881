/** The main job on data it makes itself: what a newcomer sees first. */
@NullMarked
package oxbow.demo;

import org.jspecify.annotations.NullMarked;
