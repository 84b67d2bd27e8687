import { LogRecord } from '../records/log-record.js'
import type { RecordCursor } from '../records/record-cursor.js'

/**
 * One record as a consumer gives it. Key, value and headers are decoded when asked for and share the memory of a whole
 * fetch: `copy()` detaches a record that is to be kept for long.
 */
export class ConsumerMessage extends LogRecord {
  constructor(
    readonly topic: string,
    readonly partition: number,
    cursor: RecordCursor,
  ) {
    super(cursor)
  }

  /** For logs and JSON.stringify: the offset as a string, key, value and headers as UTF-8 text. */
  toJSON(): Record<string, unknown> {
    const headers = Object.entries(this.headers).map(([name, value]) => [name, textOf(value)])
    return {
      topic: this.topic,
      partition: this.partition,
      offset: String(this.offset),
      timestamp: this.timestamp,
      key: textOf(this.key),
      value: textOf(this.value),
      headers: Object.fromEntries(headers),
    }
  }
}

type Text = string | null | (string | null)[]

function textOf(bytes: Buffer | null | (Buffer | null)[]): Text {
  if (Array.isArray(bytes)) return bytes.map((one) => textOf(one) as string | null)
  return bytes === null ? null : bytes.toString()
}
