package io.plantline.observe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message that its target can never take, as it was when it was refused.
 *
 * @param id number in the dead-letter log of its target; older ones are smaller
 * @param receivedAtMicros from the broker, microseconds since 1970
 * @param refusedAtMicros microseconds since 1970
 * @param stage where: {@code publish}, or {@code process:} and the processor
 * @param code of the failure
 * @param configuration hash of the document that was in force
 * @param user user properties, as {@code name=value}
 */
public record DeadLetter(
        long id,
        String topic,
        int qos,
        boolean retained,
        long receivedAtMicros,
        long refusedAtMicros,
        String messageId,
        String stage,
        String code,
        String reason,
        String configuration,
        @Nullable String contentType,
        List<String> user,
        byte[] payload) {

    public DeadLetter {
        user = List.copyOf(user);
    }
}
