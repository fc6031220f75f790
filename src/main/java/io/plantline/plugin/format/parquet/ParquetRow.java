package io.plantline.plugin.format.parquet;

import io.plantline.model.MessageCursor;

/** A message and its id, for the time of one write. */
record ParquetRow(String messageId, MessageCursor message) {}
