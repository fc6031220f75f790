/**
 * From a document that changes to a program that follows: read, parse, compare, apply or take back, report.
 *
 * <pre>
 *  DocumentFile    in the package of configurations: a file, be it mounted from a ConfigMap, looked at every second
 *  Reloader        one document after the other; the last one wins
 *  House.change    the steps, in the parent package: open, probe, switch, settle; or undo
 * </pre>
 */
@NullMarked
package io.plantline.runtime.reload;

import org.jspecify.annotations.NullMarked;
