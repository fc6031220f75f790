package io.plantline.mqtt;

import io.plantline.mqtt.SessionHarness.Options;
import io.plantline.testkit.ScriptedBroker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The receive session against a broker that does what it is told. Fault numbers in its tests are those of the catalogue of faults. */
abstract class SessionTest {
    ScriptedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = ScriptedBroker.start();
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    Options options() {
        Options options = new Options();
        options.ports = new int[] {broker.port()};
        return options;
    }
}
