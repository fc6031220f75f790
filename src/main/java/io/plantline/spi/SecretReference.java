package io.plantline.spi;

/**
 * Says where a credential is kept; never the credential itself.
 *
 * @param provider type of the provider
 * @param config what the provider's factory made of the section
 */
public record SecretReference(String provider, Object config) {}
