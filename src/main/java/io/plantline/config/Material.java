package io.plantline.config;

import io.plantline.spi.SecretReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a section uses that may change while the document stays the same.
 *
 * @param files with certificates and keys
 * @param credentials by where they are kept
 */
public record Material(Set<String> files, Set<SecretReference> credentials) {
    /** Of a section that uses nothing of the kind. */
    public static final Material NONE = new Material(Set.of(), Set.of());

    public Material {
        files = Set.copyOf(files);
        credentials = Set.copyOf(credentials);
    }

    /**
     * A hash of what is in the files now; a file that cannot be read counts as one with other contents. Blocks.
     */
    public String contents() {
        StringBuilder all = new StringBuilder();
        for (String file : new TreeSet<>(files)) {
            all.append(file).append('\n');
            try {
                all.append(Fingerprint.of(Files.readAllBytes(Path.of(file))));
            } catch (IOException e) {
                all.append("cannot be read");
            }
            all.append('\n');
        }
        return Fingerprint.of(all.toString());
    }
}
