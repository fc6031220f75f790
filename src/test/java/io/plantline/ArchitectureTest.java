package io.plantline;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows of the package map, kept. */
@AnalyzeClasses(packages = "io.plantline", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule ARROWS_POINT_ONE_WAY = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("model")
            .definedBy("io.plantline.model..")
            .layer("spi")
            .definedBy("io.plantline.spi..")
            .layer("config")
            .definedBy("io.plantline.config..")
            .layer("observe")
            .definedBy("io.plantline.observe..")
            .layer("mqtt")
            .definedBy("io.plantline.mqtt..")
            .layer("pipeline")
            .definedBy("io.plantline.pipeline..")
            .layer("plugin")
            .definedBy("io.plantline.plugin..")
            .layer("runtime")
            .definedBy("io.plantline.runtime..")
            .layer("cluster")
            .definedBy("io.plantline.cluster..")
            .layer("admin")
            .definedBy("io.plantline.admin..")
            .layer("command")
            .definedBy("io.plantline.command..")
            .layer("main")
            .definedBy("io.plantline")
            .whereLayer("main")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("command")
            .mayOnlyBeAccessedByLayers("main")
            .whereLayer("cluster")
            .mayOnlyBeAccessedByLayers("command")
            .whereLayer("admin")
            .mayOnlyBeAccessedByLayers("command")
            .whereLayer("runtime")
            .mayOnlyBeAccessedByLayers("admin", "command")
            .whereLayer("plugin")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("pipeline")
            .mayOnlyBeAccessedByLayers("runtime")
            .whereLayer("mqtt")
            .mayOnlyBeAccessedByLayers("pipeline", "runtime")
            .whereLayer("observe")
            .mayOnlyBeAccessedByLayers("pipeline", "runtime", "admin", "command")
            .whereLayer("config")
            .mayOnlyBeAccessedByLayers("observe", "pipeline", "runtime", "cluster", "admin", "command")
            .whereLayer("spi")
            .mayOnlyBeAccessedByLayers("config", "mqtt", "pipeline", "plugin", "runtime", "cluster", "observe");

    @ArchTest
    static final ArchRule PLUGINS_IMPORT_ONLY_THE_DOOR = noClasses()
            .that()
            .resideInAPackage("io.plantline.plugin..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.plantline.config..",
                    "io.plantline.observe..",
                    "io.plantline.mqtt..",
                    "io.plantline.pipeline..",
                    "io.plantline.runtime..",
                    "io.plantline.command..");

    @ArchTest
    static final ArchRule FLATS_DO_NOT_KNOW_EACH_OTHER =
            slices().matching("io.plantline.plugin.(*.*)..").should().notDependOnEachOther();

    @ArchTest
    static final ArchRule STAGES_MEET_ON_THE_BUS =
            slices().matching("io.plantline.pipeline.(*)..").should().notDependOnEachOther();

    @ArchTest
    static final ArchRule NO_CYCLES =
            slices().matching("io.plantline.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule ONLY_AWS_PLUGINS_KNOW_AWS = noClasses()
            .that()
            .resideOutsideOfPackages("io.plantline.plugin.target.s3..", "io.plantline.plugin.secret.aws..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("software.amazon..");

    @ArchTest
    static final ArchRule ONLY_THE_PARQUET_FORMAT_KNOWS_PARQUET = noClasses()
            .that()
            .resideOutsideOfPackage("io.plantline.plugin.format.parquet..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.parquet..", "org.apache.hadoop..");

    @ArchTest
    static final ArchRule THE_CORE_KNOWS_NO_JSON = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.plantline.model..",
                    "io.plantline.mqtt..",
                    "io.plantline.pipeline..",
                    "io.plantline.observe..",
                    "io.plantline.runtime..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.fasterxml.jackson..", "io.vertx.core.json..");

    @ArchTest
    static final ArchRule ONLY_MAIN_EXITS = noClasses()
            .that()
            .doNotHaveFullyQualifiedName("io.plantline.Plantline")
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class);

    @ArchTest
    static final ArchRule A_FLAT_HAS_ONE_PUBLIC_DOOR = classes()
            .that()
            .resideInAPackage("io.plantline.plugin..")
            .and()
            .arePublic()
            .and()
            .areTopLevelClasses()
            .should()
            .haveSimpleNameEndingWith("Factory");

    @ArchTest
    static final ArchRule NO_JAVA_SERIALIZATION =
            noClasses().should().dependOnClassesThat().haveFullyQualifiedName("java.io.ObjectInputStream");
}
