package io.plantline.pipeline.outbox;

import io.plantline.model.Failure;
import io.plantline.model.MessageCursor;
import io.plantline.model.MessageProperties;
import io.plantline.model.MessageProperties.Pair;
import io.plantline.observe.DeadLetter;
import java.util.List;

/** Why a message became a dead letter, as user properties of it. */
final class Refusal {
    private static final String PREFIX = "plantline-dead-letter-";
    private static final String TARGET = PREFIX + "target";
    private static final String STAGE = PREFIX + "stage";
    private static final String CODE = PREFIX + "code";
    private static final String REASON = PREFIX + "reason";
    private static final String TIME = PREFIX + "time";
    private static final String CONFIGURATION = PREFIX + "configuration";
    private static final String MESSAGE_ID = PREFIX + "message-id";

    private Refusal() {}

    static MessageProperties mark(
            MessageProperties properties,
            String target,
            String stage,
            String messageId,
            String configuration,
            long micros,
            Failure failure) {
        return properties
                .with(TARGET, target)
                .with(STAGE, stage)
                .with(CODE, failure.code())
                .with(REASON, failure.detail())
                .with(TIME, Long.toString(micros))
                .with(CONFIGURATION, configuration)
                .with(MESSAGE_ID, messageId);
    }

    /** The properties as they were. */
    static MessageProperties unmark(MessageProperties properties) {
        List<Pair> own = properties.user().stream()
                .filter(pair -> !pair.name().startsWith(PREFIX))
                .toList();
        return new MessageProperties(properties.contentType(), properties.responseTopic(), own);
    }

    /** Tells a message from all others that the same stage has refused. */
    static String key(String stage, String messageId) {
        return stage + " " + messageId;
    }

    static String key(MessageProperties properties) {
        return key(last(properties, STAGE), last(properties, MESSAGE_ID));
    }

    static DeadLetter read(MessageCursor message) {
        MessageProperties properties = message.properties();
        String time = last(properties, TIME);
        return new DeadLetter(
                message.sequence(),
                message.topic(),
                message.qos(),
                message.retained(),
                message.receivedAtMicros(),
                time.isEmpty() ? 0 : Long.parseLong(time),
                last(properties, MESSAGE_ID),
                last(properties, STAGE),
                last(properties, CODE),
                last(properties, REASON),
                last(properties, CONFIGURATION),
                properties.contentType(),
                unmark(properties).user().stream()
                        .map(pair -> pair.name() + "=" + pair.value())
                        .toList(),
                message.payload());
    }

    /** A message may have been a dead letter before. */
    private static String last(MessageProperties properties, String name) {
        return properties.user().stream()
                .filter(pair -> pair.name().equals(name))
                .reduce((first, second) -> second)
                .map(Pair::value)
                .orElse("");
    }
}
