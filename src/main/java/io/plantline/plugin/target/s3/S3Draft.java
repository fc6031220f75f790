package io.plantline.plugin.target.s3;

import io.plantline.model.Plan;
import io.plantline.spi.object.ObjectStore;
import io.vertx.core.Future;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * An object on its way into a bucket. A small one is put whole; of a large one a part is sent while the next is filled.
 * Until it is complete nobody sees it.
 */
final class S3Draft extends OutputStream implements ObjectStore.Draft {
    /** Parts that are in memory at once: one is sent while the next is filled. */
    static final int PARTS = 2;

    private final Bucket bucket;
    private final Plan plan;
    private final String key;
    private final Checksum checksum;

    private final List<CompletedPart> parts = new ArrayList<>();
    private PartBuffer bytes = new PartBuffer();
    private @Nullable String upload;
    private @Nullable CompletableFuture<CompletedPart> sending;
    private @Nullable RuntimeException failure;

    S3Draft(Bucket bucket, Plan plan, String key) {
        this.bucket = bucket;
        this.plan = plan;
        this.key = key;
        this.checksum = new Checksum(!bucket.config().checksumsAlways());
    }

    @Override
    public OutputStream stream() {
        return this;
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] some, int offset, int length) {
        int from = offset;
        int left = length;
        int limit = bucket.config().multipartFrom();
        while (left > 0 && failure == null) {
            if (bytes.size() == limit) {
                sendPart();
            }
            int now = Math.min(left, limit - bytes.size());
            bytes.write(some, from, now);
            checksum.update(some, from, now);
            from += now;
            left -= now;
        }
    }

    /** Waits for the part before, so that there are never more than {@link #PARTS}. */
    private void sendPart() {
        try {
            awaitPart();
            if (upload == null) {
                upload = bucket.begin(plan, key);
            }
            sending = bucket.part(key, upload, parts.size() + 1, bytes.body(), checksum.take());
            bytes = new PartBuffer();
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private void awaitPart() {
        if (sending != null) {
            parts.add(sending.join());
            sending = null;
        }
    }

    @Override
    public Future<Void> publish() {
        String begun = upload;
        Future<Void> published = failure != null
                ? Future.failedFuture(failure)
                : begun == null
                        ? bucket.put(plan, key, bytes.body(), checksum.take())
                        : bucket.context()
                                .<Void>blocking(() -> {
                                    awaitPart();
                                    parts.add(bucket.part(key, begun, parts.size() + 1, bytes.body(), checksum.take())
                                            .join());
                                    return null;
                                })
                                .compose(v -> bucket.complete(plan, key, begun, parts));
        return published.recover(e ->
                discard().transform(v -> Future.failedFuture(S3Failures.of(e).asException())));
    }

    /** What cannot be removed now is removed by the next attempt at the plan, or by a rule of the bucket. */
    @Override
    public Future<Void> discard() {
        String begun = upload;
        upload = null;
        return begun == null
                ? Future.succeededFuture()
                : bucket.onContext(bucket.abort(key, begun)).<Void>mapEmpty().otherwiseEmpty();
    }
}
