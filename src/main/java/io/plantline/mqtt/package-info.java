/**
 * The MQTT receive session, for MQTT 5 and 3.1.1: protocol only, it knows no pipeline. {@link
 * io.plantline.mqtt.MqttSession} keeps one session with one broker alive and hands every message to a {@link
 * io.plantline.mqtt.MessageHandler}; an acknowledgement leaves when the handler says that the message is safe, in
 * order of receipt, on the connection that delivered it.
 */
@NullMarked
package io.plantline.mqtt;

import org.jspecify.annotations.NullMarked;
