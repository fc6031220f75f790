package io.plantline.pipeline.outbox;

import io.plantline.config.ProcessorDefinition;
import io.plantline.config.ProcessorDefinition.OnFailure;
import io.plantline.model.Backoff;
import io.plantline.model.Batches;
import io.plantline.model.Failure;
import io.plantline.model.MessageBatch;
import io.plantline.pipeline.PipelineMessage.ProcessReply;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Takes the messages of one plan through the processors of its target, each message once. What fails is asked again,
 * alone; a message that fails too often while others succeed follows {@code on-failure}.
 */
final class ProcessRun {
    private static final int MAX_RECORDS = 10_000;
    private static final long MAX_BYTES = 16 << 20;

    /** Of the messages that wait, one in so many is sent to find out whether a service that failed is back. */
    private static final int PROBE = 10;

    private static final MessageBatch NONE = new MessageBatch.Builder(0).build();

    private final Relay relay;
    private final Processing processing;
    private final Backoff backoff;
    private final Absorb absorb;
    private final int lane;
    private final Promise<Outcome> promise = Promise.promise();
    private final Set<Long> filtered = new HashSet<>();
    private final Set<Long> deadLettered = new HashSet<>();
    private int attempts;
    private long records;
    private long bytes;

    /** More messages to process with those that wait. */
    interface Absorb {
        List<MessageBatch> more(int maxRecords, long maxBytes);

        /** Whether nothing may join, however much waits. */
        boolean isBarred();

        /**
         * One of the messages that wait and do not join.
         *
         * @param number of the attempt: another one each time
         * @return none, if nothing is in memory
         */
        MessageBatch look(int number);

        /** The messages as they came from the broker. */
        DeadLetters.Sources sources();
    }

    /** Every source message is in the output, filtered or dead-lettered. */
    record Outcome(MessageBatch output, Set<Long> filtered, Set<Long> deadLettered) {}

    ProcessRun(Relay relay, int lane, Processing processing, Backoff backoff, Absorb absorb) {
        this.relay = relay;
        this.lane = lane;
        this.processing = processing;
        this.backoff = backoff;
        this.absorb = absorb;
    }

    /** Completes when every message is accounted for; never fails. */
    Future<Outcome> start(MessageBatch batch) {
        count(batch);
        new Step(0, batch).run();
        return promise.future();
    }

    private void count(MessageBatch batch) {
        records += batch.count();
        bytes += batch.sizeInBytes();
    }

    /**
     * What joins the messages that wait. All of it stays in memory until the last one is accounted for, so there is a bound;
     * beyond it a little joins only where its success shows that the service is up, so that the attempts of one that fails
     * are counted and end.
     */
    private List<MessageBatch> more(Failure failure) {
        long maxBytes = relay.isDurable() ? Math.min(MAX_BYTES, HeapShare.bytes()) : MAX_BYTES;
        boolean room = records < MAX_RECORDS && bytes < maxBytes;
        if (!room && !(failure.kind() == Failure.Kind.RETRY && failure.tried())) {
            return List.of();
        }
        List<MessageBatch> more = absorb.more((int) Math.max(1, MAX_RECORDS - records), Math.max(1, maxBytes - bytes));
        more.forEach(this::count);
        return more;
    }

    /** One processor and the messages that came out of the one before. */
    private final class Step {
        private final int number;
        private final List<MessageBatch> outputs = new ArrayList<>();
        private final Map<Long, Trouble> troubles = new HashMap<>();
        private MessageBatch pending;
        private MessageBatch heldBack = NONE;
        /** A message that has passed, or one that has not been asked about. */
        private MessageBatch witness = NONE;
        /** Whether it has passed: if it fails later, the service does. */
        private boolean proven;

        private long successesBeforeRound;

        Step(int number, MessageBatch input) {
            this.number = number;
            this.pending = input;
        }

        /** As it is defined now. */
        private ProcessorDefinition processor() {
            return processing.processors().get(number);
        }

        void run() {
            if (relay.isClosed()) {
                return;
            }
            if (pending.count() == 0) {
                next();
                return;
            }
            successesBeforeRound = processing.successes(number);
            processing.process(number, pending).onSuccess(this::processed);
        }

        private void next() {
            MessageBatch output = outputs.size() == 1 ? outputs.get(0) : Batches.merge(outputs);
            if (number + 1 < processing.processors().size()) {
                new Step(number + 1, output).run();
            } else {
                promise.complete(new Outcome(output, filtered, deadLettered));
            }
        }

        private void processed(ProcessReply reply) {
            Failure whole = reply.failure();
            if (whole != null) {
                again(whole, false);
                return;
            }
            outputs.add(reply.processed().output());
            filtered.addAll(reply.processed().filtered());
            Map<Long, Failure> failed = reply.processed().failed();
            if (failed.isEmpty()) {
                pending = heldBack;
                heldBack = NONE;
                run();
                return;
            }
            findWitness(failed);
            if (isWitnessNeeded(failed)) {
                processing.process(number, witness).onSuccess(asked -> {
                    proven |= processing.successes(number) > successesBeforeRound;
                    if (!proven) {
                        witness = NONE; // It may be as bad.
                    }
                    judge(failed);
                });
            } else {
                judge(failed);
            }
        }

        private void judge(Map<Long, Failure> failed) {
            Map<Long, Failure> finallyFailed = new HashMap<>();
            Map<Long, Failure> repeat = new HashMap<>();
            failed.forEach((sequence, failure) -> {
                Trouble trouble = troubles.computeIfAbsent(sequence, s -> new Trouble(successesBeforeRound));
                trouble.failed(failure, processing.successes(number), number > 0 && hasOutput());
                boolean finished = failure.kind() == Failure.Kind.REJECT
                        || (failure.kind() == Failure.Kind.RETRY
                                && trouble.attempts >= processor().maxAttempts());
                (finished ? finallyFailed : repeat).put(sequence, failure);
            });
            giveUp(finallyFailed, repeat);
        }

        private void findWitness(Map<Long, Failure> failed) {
            boolean alone = !relay.isDurable() || absorb.isBarred();
            if (number > 0 || !alone || witness.count() > 0) {
                return;
            }
            if (failed.size() < pending.count()) {
                witness = firstOf(pending, failed.keySet());
                proven = true;
            } else if (absorb.isBarred()) {
                witness = absorb.look(attempts);
            }
        }

        /**
         * Whether nothing else tells if the service is up: in memory mode the broker sends no more behind a message that fails once its
         * window is full, and nothing joins a plan before dropped messages, or one of an earlier start. Then a message is asked about
         * once more than it would be, and the answer thrown away.
         */
        private boolean isWitnessNeeded(Map<Long, Failure> failed) {
            return witness.count() > 0
                    && processing.successes(number) == successesBeforeRound
                    && failed.values().stream().anyMatch(Failure::tried);
        }

        private static MessageBatch firstOf(MessageBatch batch, Set<Long> others) {
            long[] first = {-1};
            return Batches.select(batch, sequence -> {
                if (first[0] < 0 && !others.contains(sequence)) {
                    first[0] = sequence;
                }
                return sequence == first[0];
            });
        }

        /** Whether neighbours of the messages that still fail have passed this processor in this run. */
        private boolean hasOutput() {
            return outputs.stream().anyMatch(output -> output.count() > 0);
        }

        private void giveUp(Map<Long, Failure> finallyFailed, Map<Long, Failure> repeat) {
            if (finallyFailed.isEmpty()) {
                repeat(repeat);
                return;
            }
            if (processor().onFailure() == OnFailure.PASS_THROUGH) {
                outputs.add(Batches.select(pending, finallyFailed::containsKey));
                repeat(repeat);
                return;
            }
            if (!relay.deadLetters().exist()) {
                finallyFailed.forEach((sequence, failure) -> repeat.put(sequence, PlanRun.noPlace(failure)));
                repeat(repeat);
                return;
            }
            relay.deadLetters()
                    .send("process:" + processor().name(), absorb.sources(), finallyFailed)
                    .onSuccess(v -> {
                        deadLettered.addAll(finallyFailed.keySet());
                        repeat(repeat);
                    })
                    .onFailure(e -> {
                        finallyFailed.keySet().forEach(sequence -> repeat.put(sequence, Failure.of(e)));
                        repeat(repeat);
                    });
        }

        private void repeat(Map<Long, Failure> failed) {
            pending = Batches.merge(List.of(Batches.select(pending, failed::containsKey), heldBack));
            heldBack = NONE;
            if (failed.isEmpty()) {
                run();
            } else {
                again(
                        failed.values().iterator().next(),
                        failed.values().stream().noneMatch(Failure::tried));
            }
        }

        /** After a round without a success only a few messages ask again: a service that is down needs no more load. */
        private void probeOnly() {
            int count = pending.count();
            int few = Math.max(1, count / PROBE);
            if (few < count) {
                // Others each time: one bad message at the head must not speak for all.
                int from = attempts % ((count + few - 1) / few) * few;
                long first = Batches.sequenceAt(pending, from);
                long last = Batches.sequenceAt(pending, Math.min(from + few, count) - 1);
                heldBack = Batches.select(pending, sequence -> sequence < first || sequence > last);
                pending = Batches.select(pending, sequence -> sequence >= first && sequence <= last);
            }
        }

        /**
         * Asks again, later.
         *
         * @param soon whether not to count this round as one that failed, if others have succeeded in it: the service is up,
         *     and what is left has not been tried
         */
        private void again(Failure failure, boolean soon) {
            if (heldBack.count() > 0) {
                pending = Batches.merge(List.of(pending, heldBack));
                heldBack = NONE;
            }
            boolean succeeded = processing.successes(number) > successesBeforeRound;
            attempts++;
            if (soon && succeeded) {
                backoff.reset();
            }
            relay.failing(lane, failure, attempts);
            relay.later(lane, backoff.nextMillis(), () -> {
                if (number == 0) {
                    List<MessageBatch> joined = new ArrayList<>(more(failure));
                    if (!joined.isEmpty()) {
                        joined.add(pending);
                        pending = Batches.merge(joined);
                    }
                }
                if (!succeeded) {
                    probeOnly();
                }
                run();
            });
        }
    }

    /**
     * A message that fails. An attempt counts against it only if the service was reached and others have succeeded since
     * the last one: an outage is nobody's fault here. One that has passed may be asked about again for that. Behind the first processor nothing new joins the messages that
     * wait, so there the neighbours that passed speak for the service.
     */
    private static final class Trouble {
        private long successesSeen;
        private int attempts;

        Trouble(long successesBefore) {
            this.successesSeen = successesBefore;
        }

        void failed(Failure failure, long successes, boolean neighboursPassed) {
            if (failure.tried() && (successes > successesSeen || neighboursPassed)) {
                attempts++;
            }
            successesSeen = successes;
        }
    }
}
