package io.plantline.pipeline;

/** Event-bus addresses. The fingerprint keeps nodes of different configurations apart. */
public final class Addresses {
    private Addresses() {}

    public static String publisher(String target, String fingerprint) {
        return "publisher." + target + "." + fingerprint;
    }

    public static String processor(String processor) {
        return "processor." + processor;
    }
}
