package io.plantline.pipeline;

/** Event-bus addresses. The fingerprint keeps nodes of different configurations apart. */
public final class Addresses {
    private Addresses() {}

    public static String publisher(String target, String fingerprint) {
        return "publisher." + target + "." + fingerprint;
    }

    /** Where it is told that somebody answers at an address from now on. */
    public static String opened(String address) {
        return "opened." + address;
    }

    public static String processor(String processor, String fingerprint) {
        return "processor." + processor + "." + fingerprint;
    }
}
