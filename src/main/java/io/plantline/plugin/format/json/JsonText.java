package io.plantline.plugin.format.json;

/**
 * Whether bytes are one JSON value on one line, by the grammar of RFC 8259. A parser would have to make what it reads,
 * only to have it thrown away: for a payload of 250 bytes that is 1.3 us, and this is a fifth of it.
 *
 * <p>What common readers refuse is not taken for JSON either: more than {@value #MAX_DEPTH} levels, or a number of more
 * than {@value #MAX_NUMBER} characters.
 */
final class JsonText {
    private static final int MAX_DEPTH = 100;
    private static final int MAX_NUMBER = 1_000;

    private final byte[] bytes;
    private final int end;
    private int at;

    private JsonText(byte[] bytes, int from, int end) {
        this.bytes = bytes;
        this.at = from;
        this.end = end;
    }

    /** Whether these bytes, which are UTF-8, are one value and no line break. */
    static boolean isOneLine(byte[] bytes, int from, int length) {
        JsonText text = new JsonText(bytes, from, from + length);
        return text.value(0) && text.next() < 0;
    }

    /** The byte after any white space, not taken; negative at the end. */
    private int next() {
        while (at < end) {
            byte b = bytes[at];
            if (b != ' ' && b != '\t') {
                // A byte of 0x80 and more begins nothing, like the end.
                return b;
            }
            at++;
        }
        return -1;
    }

    private boolean value(int depth) {
        return switch (next()) {
            case '{' -> depth < MAX_DEPTH && object(depth + 1);
            case '[' -> depth < MAX_DEPTH && array(depth + 1);
            case '"' -> string();
            case 't' -> word("true");
            case 'f' -> word("false");
            case 'n' -> word("null");
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
            default -> false;
        };
    }

    private boolean object(int depth) {
        at++;
        if (next() == '}') {
            at++;
            return true;
        }
        while (next() == '"' && string() && next() == ':') {
            at++;
            if (!value(depth)) {
                return false;
            }
            int separator = next();
            at++;
            if (separator != ',') {
                return separator == '}';
            }
        }
        return false;
    }

    private boolean array(int depth) {
        at++;
        if (next() == ']') {
            at++;
            return true;
        }
        while (value(depth)) {
            int separator = next();
            at++;
            if (separator != ',') {
                return separator == ']';
            }
        }
        return false;
    }

    private boolean string() {
        // Locals, because most bytes of a payload pass here, and a field would be stored for each of them.
        byte[] text = bytes;
        int last = end;
        int next = at + 1;
        while (next < last) {
            byte b = text[next++];
            if (b == '"') {
                at = next;
                return true;
            }
            if (b == '\\') {
                at = next;
                if (!escape()) {
                    return false;
                }
                next = at;
            } else if (b >= 0 && b < ' ') {
                return false;
            }
        }
        return false;
    }

    private boolean escape() {
        if (at == end) {
            return false;
        }
        switch (bytes[at++]) {
            case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
                return true;
            case 'u':
                int last = at + 4;
                while (at < last && at < end && Character.digit(bytes[at], 16) >= 0) {
                    at++;
                }
                return at == last;
            default:
                return false;
        }
    }

    private boolean word(String word) {
        int begin = at;
        while (at < end && at - begin < word.length() && bytes[at] == word.charAt(at - begin)) {
            at++;
        }
        return at - begin == word.length() && endsHere();
    }

    private boolean number() {
        int begin = at;
        if (bytes[at] == '-') {
            at++;
        }
        if (at < end && bytes[at] == '0') {
            at++;
        } else if (!digits()) {
            return false;
        }
        if (at < end && bytes[at] == '.') {
            at++;
            if (!digits()) {
                return false;
            }
        }
        if (at < end && (bytes[at] == 'e' || bytes[at] == 'E')) {
            at++;
            if (at < end && (bytes[at] == '+' || bytes[at] == '-')) {
                at++;
            }
            if (!digits()) {
                return false;
            }
        }
        return at - begin <= MAX_NUMBER && endsHere();
    }

    private boolean digits() {
        int begin = at;
        while (at < end && bytes[at] >= '0' && bytes[at] <= '9') {
            at++;
        }
        return at > begin;
    }

    /** Whether nothing is glued to a word or a number. */
    private boolean endsHere() {
        if (at == end) {
            return true;
        }
        byte b = bytes[at];
        return b == ',' || b == '}' || b == ']' || b == ' ' || b == '\t';
    }
}
