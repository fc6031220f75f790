package io.plantline.observe;

import java.util.List;

/**
 * What the bytes of a log are like.
 *
 * @param segments files
 * @param groups of records that are whole
 * @param damage places that are not what was written
 */
public record LogCheck(int segments, long groups, List<String> damage) {
    public LogCheck {
        damage = List.copyOf(damage);
    }
}
