/** One setting and where it was written, as messages name it: `--port`, `KAFKA_NODE_ID`, `server.properties:12`. */
export interface Setting {
  readonly value: string
  readonly where: string
}

/**
 * Settings of one source, by Kafka's keys. `host`, `port` and `advertise` are Seglog's own and stand beside them.
 * `unknown` tells what becomes of a key that nobody knows: an error, an error only where it is close to a known one (a
 * slip of the pen), or a warning (the source also holds things that are none of ours).
 */
export interface ConfigLayer {
  readonly entries: ReadonlyMap<string, Setting>
  readonly host?: Setting
  readonly port?: Setting
  readonly advertise?: Setting
  readonly unknown: 'error' | 'error if close' | 'warning'
}

export const emptyLayer: ConfigLayer = { entries: new Map(), unknown: 'warning' }
