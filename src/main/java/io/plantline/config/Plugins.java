package io.plantline.config;

import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.TargetFactory;
import java.util.SortedMap;

/** The factories that a document may name, by type. */
public record Plugins(
        SortedMap<String, TargetFactory<?>> targets,
        SortedMap<String, ProcessorFactory<?>> processors,
        SortedMap<String, PayloadFormatFactory<?>> formats,
        SortedMap<String, SecretProviderFactory<?>> secrets) {}
