package io.plantline.mqtt;

import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.IntegerProperty;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption.RetainedHandlingPolicy;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.plantline.model.Credential;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The packets we send, acknowledgements apart. */
final class Packets {
    private static final long NEVER_EXPIRES = 0xFFFF_FFFFL;

    private Packets() {}

    static MqttConnectMessage connect(SessionOptions options, int version, Optional<Credential> credential) {
        MqttMessageBuilders.ConnectBuilder builder = MqttMessageBuilders.connect()
                .protocolVersion(version == 5 ? MqttVersion.MQTT_5 : MqttVersion.MQTT_3_1_1)
                .clientId(options.clientId())
                .cleanSession(false)
                .keepAlive((int) Math.max(1, options.keepAlive().toSeconds()));
        credential.ifPresent(c -> builder.username(c.username()).password(c.password()));
        options.will()
                .ifPresent(will -> builder.willFlag(true)
                        .willTopic(will.topic())
                        .willMessage(will.payload())
                        .willQoS(MqttQoS.valueOf(will.qos()))
                        .willRetain(will.retain()));
        if (version == 5) {
            MqttProperties properties = new MqttProperties();
            long expiry = Math.min(NEVER_EXPIRES, options.sessionExpiry().toSeconds());
            properties.add(integer(MqttProperties.SESSION_EXPIRY_INTERVAL, (int) expiry));
            properties.add(integer(MqttProperties.RECEIVE_MAXIMUM, options.receiveMaximum()));
            properties.add(integer(MqttProperties.MAXIMUM_PACKET_SIZE, options.maxPacketSize()));
            builder.properties(properties);
        }
        return builder.build();
    }

    /** Without {@code identifier} (0) any number of filters share a packet. */
    static MqttSubscribeMessage subscribe(
            int packetId, int version, int identifier, List<SessionOptions.Subscription> subscriptions) {
        MqttMessageBuilders.SubscribeBuilder builder =
                MqttMessageBuilders.subscribe().messageId(packetId);
        for (SessionOptions.Subscription subscription : subscriptions) {
            MqttQoS qos = MqttQoS.valueOf(subscription.qos());
            String filter = subscription.filter().text();
            if (version == 5) {
                // Retain handling 1: retained messages only where the subscription is new (section 3.8.3.1).
                builder.addSubscription(
                        filter,
                        new MqttSubscriptionOption(
                                qos, false, false, RetainedHandlingPolicy.SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS));
            } else {
                builder.addSubscription(qos, filter);
            }
        }
        if (identifier > 0) {
            MqttProperties properties = new MqttProperties();
            properties.add(integer(MqttProperties.SUBSCRIPTION_IDENTIFIER, identifier));
            builder.properties(properties);
        }
        return builder.build();
    }

    static MqttMessage unsubscribe(int packetId, Collection<String> filters) {
        MqttMessageBuilders.UnsubscribeBuilder builder =
                MqttMessageBuilders.unsubscribe().messageId(packetId);
        filters.forEach(builder::addTopicFilter);
        return builder.build();
    }

    static MqttMessage ping() {
        return new MqttMessage(new MqttFixedHeader(MqttMessageType.PINGREQ, false, MqttQoS.AT_MOST_ONCE, false, 0));
    }

    /** DISCONNECT; an expiry interval of 0 ends the session (MQTT 5.0 section 3.14.2.2.2). */
    static MqttMessage disconnect(int version, boolean endSession) {
        if (version != 5 || !endSession) {
            return disconnect(version, 0);
        }
        MqttProperties properties = new MqttProperties();
        properties.add(integer(MqttProperties.SESSION_EXPIRY_INTERVAL, 0));
        return new MqttMessage(
                new MqttFixedHeader(MqttMessageType.DISCONNECT, false, MqttQoS.AT_MOST_ONCE, false, 0),
                new MqttReasonCodeAndPropertiesVariableHeader((byte) 0, properties));
    }

    /** DISCONNECT; the reason exists in MQTT 5 only. */
    static MqttMessage disconnect(int version, int reason) {
        MqttFixedHeader header = new MqttFixedHeader(MqttMessageType.DISCONNECT, false, MqttQoS.AT_MOST_ONCE, false, 0);
        return version == 5 && reason != 0
                ? new MqttMessage(
                        header,
                        new MqttReasonCodeAndPropertiesVariableHeader((byte) reason, MqttProperties.NO_PROPERTIES))
                : new MqttMessage(header);
    }

    private static IntegerProperty integer(int type, int value) {
        return new IntegerProperty(type, value);
    }
}
