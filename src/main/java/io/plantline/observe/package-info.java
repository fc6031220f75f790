/**
 * What the operator sees: the ledger of every target and the state of every session.
 */
@NullMarked
package io.plantline.observe;

import org.jspecify.annotations.NullMarked;
