package io.plantline.pipeline;

/** Event-bus addresses. The fingerprint keeps nodes of different configurations apart. */
public final class Addresses {
    private Addresses() {}

    public static String publisher(String target, String fingerprint) {
        return "publisher." + target + "." + fingerprint;
    }

    public static String processor(String processor, String fingerprint) {
        return "processor." + processor + "." + fingerprint;
    }
}
