package io.plantline.model;

import java.util.Arrays;
import java.util.Objects;

/** A user name and a password that never prints. */
public final class Credential {
    private final String username;
    private final byte[] password;

    public Credential(String username, byte[] password) {
        this.username = username;
        this.password = password.clone();
    }

    public String username() {
        return username;
    }

    /** A copy of the password's bytes, for a client library. */
    public byte[] password() {
        return password.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Credential that
                && username.equals(that.username)
                && Arrays.equals(password, that.password);
    }

    @Override
    public int hashCode() {
        return Objects.hash(username, Arrays.hashCode(password));
    }

    @Override
    public String toString() {
        return "Credential[" + username + ", ***]";
    }
}
