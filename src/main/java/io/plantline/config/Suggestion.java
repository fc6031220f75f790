package io.plantline.config;

import java.util.Collection;
import java.util.Locale;

/** Guesses what somebody meant to write. */
final class Suggestion {
    private static final int FEW = 12;

    private Suggestion() {}

    /** "did you mean ..." if one of {@code allowed} is near, else what is allowed. */
    static String among(String written, Collection<String> allowed) {
        String best = "";
        int distance = Integer.MAX_VALUE;
        for (String candidate : allowed) {
            int d = distance(written.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
            if (d < distance) {
                distance = d;
                best = candidate;
            }
        }
        if (distance <= Math.max(2, written.length() / 3)) {
            return "did you mean \"" + best + "\"?";
        }
        if (allowed.isEmpty()) {
            return "nothing is allowed here";
        }
        String list = String.join(", ", allowed.stream().limit(FEW).toList());
        return "allowed: " + list + (allowed.size() > FEW ? ", ..." : "");
    }

    /** Levenshtein's edit distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
