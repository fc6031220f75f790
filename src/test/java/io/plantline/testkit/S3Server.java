package io.plantline.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Object;

/** S3Proxy inside the test's JVM: it checks signatures and honours conditional writes. */
public final class S3Server implements AutoCloseable {
    public static final String ACCESS_KEY = "plantline-test";
    public static final String SECRET_KEY = "not-a-secret";

    private static final Pattern UNFINISHED = Pattern.compile("-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");

    private final S3Proxy proxy;
    private final S3AsyncClient client;

    private S3Server(S3Proxy proxy) {
        this.proxy = proxy;
        this.client = S3AsyncClient.builder()
                .endpointOverride(uri())
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
                .build();
    }

    public static S3Server start() {
        return start(null);
    }

    /** The same over TLS too, at {@link #secureUri}. */
    public static S3Server start(Certificates certificates) {
        try {
            S3Proxy.Builder builder = S3Proxy.builder();
            if (certificates != null) {
                builder.secureEndpoint(URI.create("https://127.0.0.1:0"))
                        .keyStore(certificates.store().toString(), "changeit");
            }
            S3Proxy proxy = builder.blobStore(new TransientNio2BlobStore())
                    .endpoint(URI.create("http://127.0.0.1:0"))
                    .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
                    .ignoreUnknownHeaders(true)
                    .jettyMaxThreads(16)
                    .build();
            proxy.start();
            return new S3Server(proxy);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + proxy.getPort());
    }

    public URI secureUri() {
        return URI.create("https://localhost:" + proxy.getSecurePort());
    }

    public void createBucket(String bucket) {
        client.createBucket(request -> request.bucket(bucket)).join();
    }

    public void put(String bucket, String key, byte[] bytes) {
        client.putObject(
                        request -> request.bucket(bucket).key(key),
                        software.amazon.awssdk.core.async.AsyncRequestBody.fromBytes(bytes))
                .join();
    }

    /**
     * Keys of all objects, in order. Asked for folder by folder: for each page S3Proxy looks at all objects that the request may concern,
     * so that one request for tens of thousands of them takes longer than a test may wait. S3Proxy keeps what it has received of an
     * upload beside the object, under its key and a random UUID, and lists it; what a broken connection left there is no object.
     */
    public List<String> keys(String bucket) {
        return keys(bucket, "");
    }

    /** Those that begin with {@code prefix}. */
    public List<String> keys(String bucket, String prefix) {
        List<String> keys = new ArrayList<>();
        ArrayDeque<String> folders = new ArrayDeque<>(List.of(prefix));
        while (!folders.isEmpty()) {
            String folder = folders.remove();
            client.listObjectsV2Paginator(
                            request -> request.bucket(bucket).prefix(folder).delimiter("/"))
                    .subscribe(page -> {
                        page.contents().stream()
                                .map(S3Object::key)
                                .filter(key -> !UNFINISHED.matcher(key).find())
                                .forEach(keys::add);
                        page.commonPrefixes().forEach(found -> folders.add(found.prefix()));
                    })
                    .join();
        }
        Collections.sort(keys);
        return keys;
    }

    /** Copies the objects under a prefix that are not there yet into a folder of its own in {@code directory}; returns it. */
    public Path copy(String bucket, String prefix, Path directory) {
        try {
            Path copy = Files.createDirectories(directory.resolve("copy-" + prefix));
            for (String key : keys(bucket, prefix)) {
                Path file = copy.resolve(key.replace('/', '_'));
                if (!Files.exists(file)) {
                    Files.write(file, get(bucket, key));
                }
            }
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Begins an upload in parts that nobody ends. */
    public void beginUpload(String bucket, String key) {
        client.createMultipartUpload(request -> request.bucket(bucket).key(key)).join();
    }

    /** Keys of uploads that are not ended. */
    public List<String> uploads(String bucket) {
        return client.listMultipartUploads(request -> request.bucket(bucket)).join().uploads().stream()
                .map(MultipartUpload::key)
                .toList();
    }

    public byte[] get(String bucket, String key) {
        ResponseBytes<GetObjectResponse> bytes = client.getObject(
                        request -> request.bucket(bucket).key(key), AsyncResponseTransformer.toBytes())
                .join();
        return bytes.asByteArray();
    }

    @Override
    public void close() {
        client.close();
        try {
            proxy.stop();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
