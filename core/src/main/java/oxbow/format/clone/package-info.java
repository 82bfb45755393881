/** What is dm-clone's own in its metadata: the superblock. All else is persistent-data's. */
@NullMarked
package oxbow.format.clone;

import org.jspecify.annotations.NullMarked;
