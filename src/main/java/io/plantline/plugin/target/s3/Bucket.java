package io.plantline.plugin.target.s3;

import io.plantline.model.Failure;
import io.plantline.model.Plan;
import io.plantline.spi.TargetContext;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/**
 * What is asked of a bucket. Nothing is written over another object: where one with the name is there already, its
 * metadata tells whether an earlier attempt wrote it, and then it is delivered.
 *
 * @param contentType of the objects
 */
record Bucket(S3TargetConfig config, TargetContext context, S3AsyncClient client, String contentType) {
    private static final String PLAN = "plantline-plan";

    /** Puts a whole object. */
    Future<Void> put(Plan plan, String key, AsyncRequestBody body, Checksum.Value checksum) {
        return onContext(client.putObject(
                        request -> {
                            request.bucket(config.bucket())
                                    .key(key)
                                    .contentType(contentType)
                                    .contentMD5(checksum.md5())
                                    .checksumCRC32(checksum.crc32())
                                    .metadata(Map.of(PLAN, plan.id()));
                            if (config.conditionalWrites()) {
                                request.ifNoneMatch("*");
                            }
                        },
                        body))
                .<Void>mapEmpty()
                .recover(e -> S3Failures.isAlreadyThere(e) ? whoseIsIt(plan, key) : Future.failedFuture(e));
    }

    /** Begins an object in parts, and ends what an attempt before a crash has begun; blocks. */
    String begin(Plan plan, String key) {
        endOrphans(key);
        CreateMultipartUploadResponse begun = client.createMultipartUpload(request -> request.bucket(config.bucket())
                        .key(key)
                        .contentType(contentType)
                        // Else parts that carry one are no parts of this upload.
                        .checksumAlgorithm(config.checksumsAlways() ? ChecksumAlgorithm.CRC32 : null)
                        .metadata(Map.of(PLAN, plan.id())))
                .join();
        return begun.uploadId();
    }

    /** A key belongs to one plan, and a plan has one attempt at a time: other uploads to it are left over. */
    private void endOrphans(String key) {
        try {
            for (MultipartUpload upload : client.listMultipartUploads(
                            request -> request.bucket(config.bucket()).prefix(key))
                    .join()
                    .uploads()) {
                if (upload.key().equals(key)) {
                    abort(key, upload.uploadId()).join();
                }
            }
        } catch (RuntimeException e) {
            // Who may not list them leaves them to a rule of the bucket; they cost money, and nothing else.
        }
    }

    /** Sends a part; numbers begin with 1. */
    CompletableFuture<CompletedPart> part(
            String key, String upload, int number, AsyncRequestBody body, Checksum.Value checksum) {
        return client.uploadPart(
                        request -> request.bucket(config.bucket())
                                .key(key)
                                .uploadId(upload)
                                .contentMD5(checksum.md5())
                                .checksumCRC32(checksum.crc32())
                                .partNumber(number),
                        body)
                .thenApply(sent -> CompletedPart.builder()
                        .partNumber(number)
                        .eTag(sent.eTag())
                        .checksumCRC32(checksum.crc32())
                        .build());
    }

    /** Shows an object whose parts are there. */
    Future<Void> complete(Plan plan, String key, String upload, List<CompletedPart> parts) {
        return onContext(client.completeMultipartUpload(request -> {
                    request.bucket(config.bucket())
                            .key(key)
                            .uploadId(upload)
                            .multipartUpload(made -> made.parts(parts));
                    if (config.conditionalWrites()) {
                        request.ifNoneMatch("*");
                    }
                }))
                .<Void>mapEmpty()
                .recover(e -> S3Failures.isAlreadyThere(e)
                        ? onContext(abort(key, upload)).transform(aborted -> whoseIsIt(plan, key))
                        : Future.failedFuture(e));
    }

    CompletableFuture<?> abort(String key, String upload) {
        return client.abortMultipartUpload(
                request -> request.bucket(config.bucket()).key(key).uploadId(upload));
    }

    /** The name is taken: by an earlier attempt, or else somebody must look. */
    private Future<Void> whoseIsIt(Plan plan, String key) {
        return onContext(client.headObject(head -> head.bucket(config.bucket()).key(key)))
                .transform(head -> {
                    if (head.failed()) {
                        // Not allowed to look. The name carries 96 random bits of this outbox, so it is ours.
                        if (S3Failures.isForbidden(head.cause())) {
                            return Future.succeededFuture();
                        }
                        return Future.failedFuture(
                                S3Failures.isMissing(head.cause())
                                        ? Failure.retry("object-vanished", key).asException()
                                        : head.cause());
                    }
                    return check(plan, key, head.result());
                });
    }

    private Future<Void> check(Plan plan, String key, HeadObjectResponse head) {
        String writer = head.metadata().get(PLAN);
        return writer != null && isOurs(plan, writer)
                ? Future.succeededFuture()
                : Future.failedFuture(Failure.operator(
                                "key-conflict",
                                key + " is there already, written by "
                                        + (writer == null ? "somebody else" : "plan " + writer))
                        .asException());
    }

    /** An object of a single message is the same whichever plan brings it: after a restart it may be in another one. */
    private boolean isOurs(Plan plan, String writer) {
        return config.layout().single() ? writer.startsWith(plan.idPrefix() + "-") : writer.equals(plan.id());
    }

    /** The SDK completes on a thread of its own; the pipeline goes on where it was. */
    <T> Future<T> onContext(CompletableFuture<T> call) {
        Context caller = context.vertx().getOrCreateContext();
        Promise<T> promise = Promise.promise();
        call.whenComplete((result, error) -> caller.runOnContext(v -> {
            if (error == null) {
                promise.complete(result);
            } else {
                promise.fail(error);
            }
        }));
        return promise.future();
    }
}
