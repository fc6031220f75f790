package io.plantline.pipeline.outbox;

/**
 * Where an outbox finds who works for it.
 *
 * @param publishesHere by publishers of this node, else by those of any node
 * @param processesHere by processors of this node, else by those of any node
 */
public record Reach(boolean publishesHere, boolean processesHere) {
    /** This node does everything itself. */
    public static final Reach NODE = new Reach(true, true);

    boolean isNode() {
        return publishesHere && processesHere;
    }
}
