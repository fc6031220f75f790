/**
 * Nodes that find each other and share an event bus. Off by default; the only place that knows Infinispan and JGroups.
 */
@NullMarked
package io.plantline.cluster;

import org.jspecify.annotations.NullMarked;
