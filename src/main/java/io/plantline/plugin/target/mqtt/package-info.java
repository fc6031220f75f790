/**
 * Messages to another MQTT broker.
 */
@NullMarked
package io.plantline.plugin.target.mqtt;

import org.jspecify.annotations.NullMarked;
