package io.plantline.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.plantline.admin.ProbeServer;
import io.plantline.config.ClusterConfig;
import io.plantline.config.Configuration;
import io.plantline.config.ConfigurationParser;
import io.plantline.observe.Vitals;
import io.plantline.runtime.PluginCatalog;
import io.plantline.testkit.Certificates;
import io.plantline.testkit.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What kubectl makes of k8s/, parsed strictly: a field that Kubernetes does not know is an error. */
class ManifestsTest {
    private static final Path K8S = Path.of("k8s");

    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "v1/Namespace", Namespace.class,
            "v1/ServiceAccount", ServiceAccount.class,
            "v1/ConfigMap", ConfigMap.class,
            "v1/Service", Service.class,
            "apps/v1/StatefulSet", StatefulSet.class,
            "networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class,
            "policy/v1/PodDisruptionBudget", PodDisruptionBudget.class,
            "rbac.authorization.k8s.io/v1/Role", Role.class,
            "rbac.authorization.k8s.io/v1/RoleBinding", RoleBinding.class);

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            });

    @TempDir
    private Path scratch;

    static Stream<Path> folders() {
        return Stream.of(
                K8S.resolve("overlays/single"),
                K8S.resolve("overlays/multi-pod"),
                K8S.resolve("overlays/replicas"),
                K8S.resolve("overlays/cluster-roles"),
                K8S.resolve("flux/example/plant1"),
                K8S.resolve("flux/example/plant2"));
    }

    private static List<HasMetadata> objects(Path folder) throws Exception {
        Process kubectl = new ProcessBuilder("kubectl", "kustomize", folder.toString()).start();
        String text = new String(kubectl.getInputStream().readAllBytes());
        assertThat(kubectl.waitFor())
                .as(new String(kubectl.getErrorStream().readAllBytes()))
                .isZero();
        List<HasMetadata> objects = new ArrayList<>();
        try (MappingIterator<JsonNode> documents =
                YAML.readerFor(JsonNode.class).readValues(text)) {
            while (documents.hasNext()) {
                JsonNode document = documents.next();
                String kind = document.path("apiVersion").asText() + "/"
                        + document.path("kind").asText();
                assertThat(KINDS).containsKey(kind);
                objects.add(YAML.treeToValue(document, KINDS.get(kind)));
            }
        }
        return objects;
    }

    private static <T> List<T> of(Class<T> type, List<HasMetadata> objects) {
        return objects.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private static void assumeKubectl() {
        Assumptions.assumeTrue(
                Stream.of("/usr/bin/kubectl", "/usr/local/bin/kubectl")
                        .anyMatch(path -> Files.isExecutable(Path.of(path))),
                "SKIPPED: kubectl is not installed (apt-get install kubernetes-client)");
    }

    @ParameterizedTest
    @MethodSource("folders")
    void everyObjectIsWhatKubernetesKnowsAndFitsTheRestrictedStandard(Path folder) throws Exception {
        assumeKubectl();
        List<HasMetadata> objects = objects(folder);
        List<StatefulSet> sets = of(StatefulSet.class, objects);
        assertThat(sets).isNotEmpty();
        for (Namespace namespace : of(Namespace.class, objects)) {
            assertThat(namespace.getMetadata().getLabels())
                    .containsEntry("pod-security.kubernetes.io/enforce", "restricted");
        }
        for (StatefulSet set : sets) {
            restricted(set.getSpec().getTemplate().getSpec());
            belongsTogether(set, objects);
        }
    }

    @Test
    void fluxAppliesAFolderThatThereIsAndKeepsTheNamespace() throws Exception {
        String path = null;
        try (MappingIterator<JsonNode> documents = YAML.readerFor(JsonNode.class)
                .readValues(K8S.resolve("flux/plantline.yaml").toFile())) {
            while (documents.hasNext()) {
                JsonNode document = documents.next();
                assertThat(document.path("kind").asText()).isIn("GitRepository", "Kustomization");
                path = document.path("spec").path("path").asText(path);
            }
        }
        Path folder = K8S.resolve("flux/example")
                .resolve(Path.of(String.valueOf(path)).getFileName());
        assertThat(folder).isDirectory();
        assumeKubectl();
        assertThat(of(Namespace.class, objects(folder)))
                .allSatisfy(namespace -> assertThat(namespace.getMetadata().getAnnotations())
                        .as("volumes go with their namespace")
                        .containsEntry("kustomize.toolkit.fluxcd.io/prune", "disabled"));
    }

    /** Kubernetes' Pod Security Standard "restricted", control by control, and a read-only root besides. */
    private static void restricted(PodSpec pod) {
        assertThat(pod.getHostNetwork()).isNull();
        assertThat(pod.getHostPID()).isNull();
        assertThat(pod.getHostIPC()).isNull();
        assertThat(pod.getSecurityContext().getSeLinuxOptions()).isNull();
        assertThat(pod.getSecurityContext().getAppArmorProfile()).isNull();
        assertThat(pod.getSecurityContext().getWindowsOptions()).isNull();
        assertThat(pod.getEphemeralContainers()).isEmpty();
        assertThat(pod.getInitContainers()).isEmpty();
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getSecurityContext().getRunAsUser()).isPositive();
        assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
        assertThat(pod.getSecurityContext().getSysctls()).isEmpty();
        assertThat(pod.getVolumes())
                .allSatisfy(volume -> assertThat(volumeType(volume))
                        .isIn("configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"));
        for (Container container : pod.getContainers()) {
            assertThat(container.getSecurityContext().getAllowPrivilegeEscalation())
                    .isFalse();
            assertThat(container.getSecurityContext().getPrivileged()).isNull();
            assertThat(container.getSecurityContext().getProcMount()).isNull();
            assertThat(container.getSecurityContext().getSeLinuxOptions()).isNull();
            assertThat(container.getSecurityContext().getAppArmorProfile()).isNull();
            assertThat(container.getSecurityContext().getWindowsOptions()).isNull();
            assertThat(container.getSecurityContext().getRunAsNonRoot()).isNull();
            assertThat(container.getSecurityContext().getRunAsUser()).isNull();
            assertThat(container.getSecurityContext().getSeccompProfile()).isNull();
            assertThat(container.getLifecycle()).isNull();
            assertThat(List.of(
                            container.getStartupProbe(), container.getLivenessProbe(), container.getReadinessProbe()))
                    .allSatisfy(
                            probe -> assertThat(probe.getHttpGet().getHost()).isNull());
            assertThat(container.getSecurityContext().getReadOnlyRootFilesystem())
                    .isTrue();
            assertThat(container.getSecurityContext().getCapabilities().getDrop())
                    .containsExactly("ALL");
            assertThat(container.getSecurityContext().getCapabilities().getAdd())
                    .isEmpty();
            assertThat(container.getPorts())
                    .allSatisfy(port -> assertThat(port.getHostPort()).isNull());
            assertThat(container.getResources().getLimits()).containsKey("memory");
            assertThat(container.getResources().getRequests()).containsKeys("memory", "cpu");
            assertThat(container.getImage()).as("a tag of its own").matches(".+:[0-9]+\\.[0-9]+\\.[0-9]+.*");
        }
    }

    private static String volumeType(Volume volume) {
        return YAML.<JsonNode>valueToTree(volume).properties().stream()
                .map(Map.Entry::getKey)
                .filter(key -> !key.equals("name"))
                .findFirst()
                .orElse("");
    }

    private void belongsTogether(StatefulSet set, List<HasMetadata> objects) throws Exception {
        PodSpec pod = set.getSpec().getTemplate().getSpec();
        Container container = pod.getContainers().get(0);
        Map<String, String> labels = set.getSpec().getTemplate().getMetadata().getLabels();
        assertThat(labels).containsAllEntriesOf(set.getSpec().getSelector().getMatchLabels());
        assertThat(of(ServiceAccount.class, objects))
                .anySatisfy(
                        account -> assertThat(account.getMetadata().getName()).isEqualTo(pod.getServiceAccountName()));
        assertThat(of(Service.class, objects)).anySatisfy(service -> {
            assertThat(service.getMetadata().getName()).isEqualTo(set.getSpec().getServiceName());
            assertThat(labels).containsAllEntriesOf(service.getSpec().getSelector());
        });
        assertThat(of(NetworkPolicy.class, objects)).anySatisfy(policy -> {
            assertThat(policy.getSpec().getPodSelector().getMatchLabels())
                    .as("one for each kind of pod, or they unite")
                    .isEqualTo(set.getSpec().getSelector().getMatchLabels());
            assertThat(policy.getSpec().getPolicyTypes()).containsExactlyInAnyOrder("Ingress", "Egress");
        });
        assertThat(of(PodDisruptionBudget.class, objects))
                .as("a pod that two budgets select cannot be evicted")
                .filteredOn(budget -> labels.entrySet()
                        .containsAll(
                                budget.getSpec().getSelector().getMatchLabels().entrySet()))
                .hasSize(1);
        String configMap = pod.getVolumes().stream()
                .filter(volume -> volume.getConfigMap() != null)
                .map(volume -> volume.getConfigMap().getName())
                .findFirst()
                .orElseThrow();
        ConfigMap config = of(ConfigMap.class, objects).stream()
                .filter(map -> map.getMetadata().getName().equals(configMap))
                .findFirst()
                .orElseThrow();
        assertThat(container.getVolumeMounts())
                .as("a subPath would never change")
                .allSatisfy(mount -> assertThat(mount.getSubPath()).isNull());
        Map<String, String> environment = container.getEnv().stream()
                .filter(variable -> variable.getValue() != null)
                .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
        String document = config.getData().get("config.json");
        assertThat(document).contains("\"security\": \"strict\"");
        Certificates nodes = Certificates.make(scratch, set.getMetadata().getName(), "dns:nodes");
        document = document.replace(
                        "/etc/plantline-bus/ca.crt", nodes.certificate().toString())
                .replace("/etc/plantline-bus/tls.crt", nodes.certificate().toString())
                .replace("/etc/plantline-bus/tls.key", nodes.key().toString());
        Map<String, String> completed = new HashMap<>(environment);
        completed.putAll(Map.of("EDGE_CLIENT_ID", "pod-0", "EDGE_CLUSTER_HOST", "10.0.0.1"));
        Configuration configuration = new ConfigurationParser(PluginCatalog.load(Path.of("no-plugins")), 2)
                .parse(document, completed)
                .configuration();
        if (configuration.roles().contains(ClusterConfig.Role.DISPATCHER)) {
            assertThat(container.getVolumeMounts())
                    .anySatisfy(mount -> assertThat(mount.getMountPath()).isEqualTo(environment.get("EDGE_DATA_DIR")));
            assertThat(set.getSpec().getVolumeClaimTemplates()).hasSize(1);
        } else {
            assertThat(environment).doesNotContainKey("EDGE_DATA_DIR");
            assertThat(set.getSpec().getVolumeClaimTemplates()).isEmpty();
        }
        assertThat(environment.get("EDGE_HTTP"))
                .isEqualTo(port(container, "http").getContainerPort().toString());
        configuration.cluster().ifPresent(cluster -> bus(cluster, container, labels, objects));
        probes(container);
    }

    private static ContainerPort port(Container container, String name) {
        return container.getPorts().stream()
                .filter(port -> port.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Nodes find each other by a service, may reach each other, and have their certificates where the document says. */
    private static void bus(
            ClusterConfig cluster, Container container, Map<String, String> labels, List<HasMetadata> objects) {
        assertThat(port(container, "members").getContainerPort()).isEqualTo(cluster.port());
        assertThat(port(container, "bus").getContainerPort()).isEqualTo(cluster.busPort());
        assertThat(of(Service.class, objects)).anySatisfy(service -> {
            assertThat(service.getMetadata().getName())
                    .isEqualTo(cluster.members().get(0).host());
            assertThat(service.getSpec().getClusterIP()).isEqualTo("None");
            assertThat(service.getSpec().getPublishNotReadyAddresses()).isTrue();
            assertThat(labels).containsAllEntriesOf(service.getSpec().getSelector());
        });
        assertThat(of(NetworkPolicy.class, objects)).anySatisfy(policy -> {
            List<Integer> ports = policy.getSpec().getIngress().get(0).getPorts().stream()
                    .map(port -> port.getPort().getIntVal())
                    .toList();
            assertThat(ports).containsExactly(cluster.port(), cluster.busPort());
            assertThat(labels)
                    .containsAllEntriesOf(policy.getSpec()
                            .getIngress()
                            .get(0)
                            .getFrom()
                            .get(0)
                            .getPodSelector()
                            .getMatchLabels());
        });
        assertThat(cluster.tls()).isPresent();
        assertThat(container.getVolumeMounts())
                .anySatisfy(mount -> assertThat(mount.getMountPath()).isEqualTo("/etc/plantline-bus"));
        assertThat(container.getEnv()).anySatisfy(variable -> {
            assertThat(variable.getName()).isEqualTo("EDGE_CLUSTER_HOST");
            assertThat(variable.getValueFrom().getFieldRef().getFieldPath()).isEqualTo("status.podIP");
        });
    }

    /** The paths are the program's own. */
    private static void probes(Container container) throws Exception {
        Vertx vertx = Vertx.vertx();
        int port = Ports.free();
        ProbeServer server = new ProbeServer(
                () -> Future.succeededFuture(new Vitals(null, List.of(), Map.of(), -1, 1)),
                "127.0.0.1",
                port,
                false,
                "test");
        try {
            vertx.deployVerticle(server)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
            for (Probe probe :
                    List.of(container.getStartupProbe(), container.getLivenessProbe(), container.getReadinessProbe())) {
                assertThat(probe.getHttpGet().getPort().getStrVal()).isEqualTo("http");
                HttpRequest request = HttpRequest.newBuilder(URI.create(
                                "http://127.0.0.1:" + port + probe.getHttpGet().getPath()))
                        .build();
                assertThat(HttpClient.newHttpClient()
                                .send(request, BodyHandlers.ofString())
                                .statusCode())
                        .isIn(200, 503);
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void replicasMayLookAtTheirStatefulSetAndAtNothingElse() throws Exception {
        assumeKubectl();
        List<HasMetadata> objects = objects(K8S.resolve("overlays/replicas"));
        StatefulSet set = of(StatefulSet.class, objects).get(0);
        Role role = of(Role.class, objects).get(0);
        assertThat(role.getRules()).hasSize(1);
        PolicyRule rule = role.getRules().get(0);
        assertThat(rule.getApiGroups()).containsExactly("apps");
        assertThat(rule.getResources()).containsExactly("statefulsets");
        assertThat(rule.getResourceNames()).containsExactly(set.getMetadata().getName());
        assertThat(rule.getVerbs()).containsExactly("get");
        RoleBinding binding = of(RoleBinding.class, objects).get(0);
        assertThat(binding.getRoleRef().getName()).isEqualTo(role.getMetadata().getName());
        assertThat(binding.getSubjects()).hasSize(1);
        Container container =
                set.getSpec().getTemplate().getSpec().getContainers().get(0);
        Map<String, String> environment = container.getEnv().stream()
                .filter(variable -> variable.getValue() != null)
                .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
        assertThat(environment)
                .containsEntry("EDGE_STATEFULSET", set.getMetadata().getName());
        assertThat(set.getSpec().getTemplate().getSpec().getTerminationGracePeriodSeconds())
                .as("the time to leave, and to stop")
                .isGreaterThanOrEqualTo(Long.parseLong(environment.get("EDGE_LEAVE_SECONDS")) + 35);
    }

    @Test
    void whereNothingIsAskedOfTheApiServerNoTokenIsMounted() throws Exception {
        assumeKubectl();
        for (String overlay : List.of("single", "multi-pod", "cluster-roles")) {
            List<HasMetadata> objects = objects(K8S.resolve("overlays").resolve(overlay));
            assertThat(of(Role.class, objects)).isEmpty();
            assertThat(of(StatefulSet.class, objects))
                    .allSatisfy(set -> assertThat(
                                    set.getSpec().getTemplate().getSpec().getAutomountServiceAccountToken())
                            .isFalse());
        }
    }
}
