package io.plantline.command;

import org.jspecify.annotations.Nullable;

/** Where a server listens. */
record Listen(String address, int port) {
    /**
     * {@code [ADDRESS:]PORT}; without an address everywhere, without a text nowhere.
     *
     * @param name of the option, for whoever mistyped it
     */
    static @Nullable Listen parse(String name, @Nullable String text) {
        if (text == null || text.isBlank()) {
            return null;
        }
        int colon = text.lastIndexOf(':');
        String port = text.substring(colon + 1);
        if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65_535) {
            throw new IllegalArgumentException(name + " is \"" + text + "\", expected [ADDRESS:]PORT");
        }
        return new Listen(colon < 0 ? "0.0.0.0" : text.substring(0, colon), Integer.parseInt(port));
    }
}
