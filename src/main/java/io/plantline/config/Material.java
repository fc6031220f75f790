package io.plantline.config;

import io.plantline.spi.SecretReference;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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

    /** When the first certificate in each file expires, seconds since 1970; files without one are left out. Blocks. */
    public Map<String, Long> expiries() {
        Map<String, Long> expiries = new TreeMap<>();
        for (String file : files) {
            try (InputStream pem = Files.newInputStream(Path.of(file))) {
                CertificateFactory.getInstance("X.509").generateCertificates(pem).stream()
                        .map(certificate -> ((X509Certificate) certificate)
                                .getNotAfter()
                                .toInstant()
                                .getEpochSecond())
                        .min(Long::compare)
                        .ifPresent(first -> expiries.put(file, first));
            } catch (IOException | CertificateException e) {
                // A key, or a file that is about to change.
            }
        }
        return expiries;
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
