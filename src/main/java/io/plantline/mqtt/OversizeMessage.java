package io.plantline.mqtt;

/** What is left of a PUBLISH that was larger than we take. */
record OversizeMessage(String topic, int qos, int packetId, long size) {}
