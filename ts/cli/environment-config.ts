import { SeglogError } from '../errors/seglog-error.js'
import type { ConfigLayer, Setting } from './config-layer.js'
import { withListeners } from './listener-list.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Variables of the Apache image that are about the JVM, its logging or the image itself. */
const notConfigs: ReadonlySet<string> = new Set([
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_HEAP_OPT',
  'KAFKA_HEAP_OPTS',
  'KAFKA_HOME',
  'KAFKA_JMX_HOSTNAME',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_OPTS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
  'KAFKA_VERSION',
])

/**
 * A variable's name without its prefix as a config key, by the Apache image's rules: `___` is `-`, `__` is `_`, `_` is `.`,
 * all in lower case.
 */
export function keyOfVariable(name: string): string {
  return name.toLowerCase().replace(/_{1,3}/g, (run) => (run.length === 3 ? '-' : run.length === 2 ? '_' : '.'))
}

/** What `KAFKA_...` variables set, as the Apache image reads them. An empty variable is one that was not set. */
export function kafkaEnvironment(environment: Environment): ConfigLayer {
  const entries = new Map<string, Setting>()
  for (const [name, value] of variables(environment, 'KAFKA_'))
    if (!notConfigs.has(name)) entries.set(keyOfVariable(name.slice('KAFKA_'.length)), { value, where: name })
  return { entries: withListeners(entries), unknown: 'warning' }
}

/**
 * What the Apache image calls a new cluster. Throws INVALID_CONFIG for what cannot be the name of one; undefined if it is
 * not set.
 */
export function clusterIdOf({ CLUSTER_ID = '' }: Environment): string | undefined {
  if (CLUSTER_ID === '' || /^[\w-]{1,64}$/.test(CLUSTER_ID)) return CLUSTER_ID || undefined
  throw new SeglogError(
    'INVALID_CONFIG',
    `CLUSTER_ID must be up to 64 letters, digits, - and _, got ${CLUSTER_ID.slice(0, 80)}`,
  )
}

/** Variables of Seglog that are no broker configs. */
const ownVariables: ReadonlySet<string> = new Set([
  'SEGLOG_BOOTSTRAP',
  'SEGLOG_CONFIG_FILE',
  'SEGLOG_LOG_LEVEL',
  'SEGLOG_NATIVE',
])

/**
 * What `SEGLOG_...` variables set: SEGLOG_DATA, SEGLOG_HOST, SEGLOG_PORT and SEGLOG_ADVERTISE are the options of these
 * names, any other is a config key by the rules of `KAFKA_...`.
 */
export function seglogEnvironment(environment: Environment): ConfigLayer {
  const entries = new Map<string, Setting>()
  const own: { host?: Setting; port?: Setting; advertise?: Setting } = {}
  for (const [name, value] of variables(environment, 'SEGLOG_')) {
    if (ownVariables.has(name)) continue
    const setting = { value, where: name }
    if (name === 'SEGLOG_HOST') own.host = setting
    else if (name === 'SEGLOG_PORT') own.port = setting
    else if (name === 'SEGLOG_ADVERTISE') own.advertise = setting
    else entries.set(name === 'SEGLOG_DATA' ? 'log.dirs' : keyOfVariable(name.slice('SEGLOG_'.length)), setting)
  }
  return { entries, ...own, unknown: 'error if close' }
}

function variables(environment: Environment, prefix: string): [string, string][] {
  const found: [string, string][] = []
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith(prefix) && name.length > prefix.length && value !== undefined && value.trim() !== '')
      found.push([name, value])
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1))
}
