package io.plantline.observe;

import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.plantline.observe.ConfigurationReport.Attempt;
import io.plantline.observe.ConfigurationReport.Outcome;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What Prometheus gets: the vitals of one moment, and the JVM. Used on one context. */
public final class Meters {
    private static final String PREFIX = "plantline_";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics collections = new JvmGcMetrics();
    private final String version;
    private final Map<String, Growth> growth = new HashMap<>();
    private @Nullable Vitals vitals;
    private @Nullable ConfigurationReport configuration;
    private long received = -1;
    private long receivedAtMillis = System.currentTimeMillis();

    /** Meters that show nothing yet but the JVM. */
    public Meters(String version) {
        this.version = version;
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        collections.bindTo(registry);
        registry.getPrometheusRegistry().register((MultiCollector) this::collect);
    }

    /** The text that Prometheus reads, of this moment. */
    public String scrape(Vitals now, @Nullable ConfigurationReport running) {
        vitals = now;
        configuration = running;
        Vitals.Session session = now.session();
        if (session != null && session.counters().getOrDefault("received", 0L) != received) {
            received = session.counters().getOrDefault("received", 0L);
            receivedAtMillis = System.currentTimeMillis();
        }
        now.targets()
                .forEach(target -> growth.computeIfAbsent(target.outbox().target(), name -> new Growth())
                        .observe(target.outbox().bytes(), System.nanoTime()));
        growth.keySet()
                .removeIf(name -> now.targets().stream()
                        .noneMatch(target -> target.outbox().target().equals(name)));
        return registry.scrape();
    }

    public void close() {
        collections.close();
        registry.close();
    }

    private MetricSnapshots collect() {
        MetricSnapshots.Builder all = MetricSnapshots.builder();
        all.metricSnapshot(InfoSnapshot.builder()
                .name("plantline")
                .help("The program, and the configuration that runs.")
                .dataPoint(InfoDataPointSnapshot.builder()
                        .labels(Labels.of(
                                "version", version, "configuration", configuration == null ? "" : configuration.hash()))
                        .build())
                .build());
        Vitals now = vitals;
        if (now != null) {
            targets(all, now.targets());
            session(all, now.session());
            if (!now.certificates().isEmpty()) {
                GaugeSnapshot.Builder expiry =
                        gauge("certificate_expiry_timestamp_seconds", "When the first certificate in a file expires.");
                now.certificates()
                        .forEach((file, seconds) -> expiry.dataPoint(point(Labels.of("file", file), seconds)));
                all.metricSnapshot(expiry.build());
            }
            all.metricSnapshot(
                    gauge("cluster_nodes", "Nodes that share the event bus, this one included; 1 without a cluster.")
                            .dataPoint(point(Labels.EMPTY, now.nodes()))
                            .build());
            if (now.freeBytes() >= 0) {
                all.metricSnapshot(gauge("data_free_bytes", "Free on the disk of the data directory.")
                        .dataPoint(point(Labels.EMPTY, (double) now.freeBytes()))
                        .build());
            }
        }
        ConfigurationReport running = configuration;
        if (running != null) {
            configuration(all, running);
        }
        return all.build();
    }

    private void targets(MetricSnapshots.Builder all, List<Vitals.Target> targets) {
        CounterSnapshot.Builder messages = CounterSnapshot.builder()
                .name(PREFIX + "messages")
                .help("The ledger: what became of messages since the outbox was made. Accepted is the sum of the others"
                        + " and of those that wait.");
        HistogramSnapshot.Builder publishing = HistogramSnapshot.builder()
                .name(PREFIX + "publish_seconds")
                .help("How long attempts to deliver a plan took.");
        CounterSnapshot.Builder retries = CounterSnapshot.builder()
                .name(PREFIX + "target_retries")
                .help("Attempts that failed and were repeated.");
        CounterSnapshot.Builder warnings = CounterSnapshot.builder()
                .name(PREFIX + "target_warnings")
                .help("What the target's plug-in has warned of in the log, since the definition was opened.");
        GaugeSnapshot.Builder held = gauge(
                "target_held", "1 while somebody must act before the target can deliver or its outbox can accept.");
        for (Vitals.Target target : targets) {
            String name = target.outbox().target();
            fates(target.outbox().totals())
                    .forEach((fate, count) -> messages.dataPoint(CounterDataPointSnapshot.builder()
                            .labels(Labels.of("target", name, "fate", fate))
                            .value((double) count)
                            .build()));
            publishing.dataPoint(HistogramDataPointSnapshot.builder()
                    .labels(Labels.of("target", name))
                    .classicHistogramBuckets(buckets(target.publishing().counts()))
                    .sum(target.publishing().seconds())
                    .build());
            retries.dataPoint(count(name, target.retries()));
            warnings.dataPoint(count(name, target.warnings()));
            String because = target.outbox().heldBecause();
            held.dataPoint(point(
                    Labels.of("target", name, "reason", because == null ? "" : because), because == null ? 0 : 1));
        }
        all.metricSnapshot(messages.build());
        all.metricSnapshot(publishing.build());
        all.metricSnapshot(retries.build());
        all.metricSnapshot(warnings.build());
        all.metricSnapshot(held.build());
        each(
                all,
                targets,
                "messages_waiting",
                "Messages that are still to be delivered.",
                target -> target.outbox().totals().waiting());
        each(
                all,
                targets,
                "outbox_bytes",
                "Bytes of the outbox on disk.",
                target -> target.outbox().bytes());
        each(all, targets, "outbox_limit_bytes", "Bytes that the outbox may have.", Vitals.Target::limitBytes);
        each(
                all,
                targets,
                "outbox_oldest_age_seconds",
                "Age of the oldest message that waits.",
                target -> target.outbox().oldestMicros() == 0
                        ? 0
                        : Math.max(
                                0,
                                System.currentTimeMillis() / 1e3
                                        - target.outbox().oldestMicros() / 1e6));
        each(
                all,
                targets,
                "outbox_full_seconds",
                "When the outbox is full, at the rate at which it grew lately; +Inf while it does not grow.",
                target -> growth.getOrDefault(target.outbox().target(), new Growth())
                        .secondsToFull(target.limitBytes()));
        each(
                all,
                targets,
                "dead_letters",
                "Messages in the dead-letter log.",
                target -> target.outbox().deadLetters());
    }

    private static Map<String, Long> fates(TargetLedger.Totals totals) {
        return Map.of(
                "accepted", totals.accepted(),
                "delivered", totals.delivered(),
                "filtered", totals.filtered(),
                "dead_lettered", totals.deadLettered(),
                "dropped", totals.dropped(),
                "expired", totals.expired(),
                "purged", totals.purged(),
                "quarantined", totals.quarantined());
    }

    private static ClassicHistogramBuckets buckets(long[] counts) {
        ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
        for (int i = 0; i < counts.length; i++) {
            buckets.bucket(i < Latency.BOUNDS.length ? Latency.BOUNDS[i] : Double.POSITIVE_INFINITY, counts[i]);
        }
        return buckets.build();
    }

    private void session(MetricSnapshots.Builder all, Vitals.@Nullable Session session) {
        if (session == null) {
            return;
        }
        all.metricSnapshot(gauge("mqtt_session_up", "1 while the broker has agreed to subscriptions of the session.")
                .dataPoint(point(Labels.of("state", session.state()), session.works() ? 1 : 0))
                .build());
        all.metricSnapshot(gauge("mqtt_session_degraded", "Subscriptions that the broker refused or granted less for.")
                .dataPoint(point(Labels.EMPTY, session.degraded().size()))
                .build());
        all.metricSnapshot(
                gauge("mqtt_last_message_timestamp_seconds", "When a message was last seen to have come, by a scrape.")
                        .dataPoint(point(Labels.EMPTY, receivedAtMillis / 1e3))
                        .build());
        session.counters()
                .forEach((name, count) -> all.metricSnapshot(CounterSnapshot.builder()
                        .name(PREFIX + "mqtt_" + name)
                        .help("Of the session with the broker, since the process started.")
                        .dataPoint(CounterDataPointSnapshot.builder()
                                .value((double) count)
                                .build())
                        .build()));
    }

    private static void configuration(MetricSnapshots.Builder all, ConfigurationReport running) {
        Attempt last = running.last();
        boolean refused = last != null && (last.outcome() == Outcome.REFUSED || last.outcome() == Outcome.ROLLED_BACK);
        all.metricSnapshot(gauge("configuration_generation", "Configurations that have run since the process started.")
                .dataPoint(point(Labels.EMPTY, (double) running.generation()))
                .build());
        all.metricSnapshot(
                gauge("configuration_refused", "1 while the document that was offered last is not the one that runs.")
                        .dataPoint(point(Labels.EMPTY, refused ? 1 : 0))
                        .build());
    }

    private static void each(
            MetricSnapshots.Builder all,
            List<Vitals.Target> targets,
            String name,
            String help,
            ToDoubleFunction<Vitals.Target> value) {
        GaugeSnapshot.Builder gauge = gauge(name, help);
        targets.forEach(target ->
                gauge.dataPoint(point(Labels.of("target", target.outbox().target()), value.applyAsDouble(target))));
        all.metricSnapshot(gauge.build());
    }

    private static CounterDataPointSnapshot count(String target, long count) {
        return CounterDataPointSnapshot.builder()
                .labels(Labels.of("target", target))
                .value((double) count)
                .build();
    }

    private static GaugeSnapshot.Builder gauge(String name, String help) {
        return GaugeSnapshot.builder().name(PREFIX + name).help(help);
    }

    private static GaugeDataPointSnapshot point(Labels labels, double value) {
        return GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }

    /** How fast an outbox grew over the last minute or so. */
    private static final class Growth {
        private static final double SECONDS = 30;

        private long bytes;
        private long atNanos;
        private double bytesPerSecond;

        void observe(long now, long nanos) {
            if (atNanos != 0) {
                double elapsed = Math.max(1e-3, (nanos - atNanos) / 1e9);
                double weight = 1 - Math.exp(-elapsed / SECONDS);
                bytesPerSecond += weight * ((now - bytes) / elapsed - bytesPerSecond);
            }
            bytes = now;
            atNanos = nanos;
        }

        double secondsToFull(long limit) {
            return bytesPerSecond <= 1 ? Double.POSITIVE_INFINITY : Math.max(0, limit - bytes) / bytesPerSecond;
        }
    }
}
