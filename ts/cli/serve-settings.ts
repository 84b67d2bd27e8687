import { brokerConfigs } from '../broker/broker-config-table.js'
import { checkConfig, nearest, unknownConfig } from '../broker/config-def.js'
import { SeglogError } from '../errors/seglog-error.js'
import type { ConfigLayer, Setting } from './config-layer.js'
import { formerBrokerKeys, isOfClusters } from './former-broker-keys.js'
import { type ListenerSettings, serveListeners } from './serve-listeners.js'

/** Something about the settings that is no error. */
export interface Note {
  readonly level: 'debug' | 'warn'
  readonly text: string
}

/** What `seglog serve` starts with. */
export interface ServeSettings {
  /** A directory, or `memory:`. */
  readonly data: string
  readonly listeners: readonly ListenerSettings[]
  /** Broker configs, checked. */
  readonly config: Readonly<Record<string, string>>
  readonly notes: readonly Note[]
}

const defaultData = './data'

/** Keys that are read here: the broker is told what came of them. */
const readHere: ReadonlySet<string> = new Set([
  'advertised.listeners',
  'broker.id',
  'controller.listener.names',
  'listener.security.protocol.map',
  'listeners',
  'log.dir',
  'log.dirs',
])

/**
 * Puts layers of settings together, the strongest first. Kafka's own keys that mean nothing here are noted; a slip of the
 * pen is UNKNOWN_CONFIG naming the nearest key. Also throws INVALID_CONFIG and UNSUPPORTED, naming where the value stands.
 */
export function serveSettings(layers: readonly ConfigLayer[]): ServeSettings {
  const notes: Note[] = []
  const config: Record<string, string> = {}
  for (const layer of [...layers].reverse()) {
    for (const [key, setting] of layer.entries) {
      if (readHere.has(key)) continue
      if (Object.hasOwn(brokerConfigs, key))
        config[key] = checkConfig(brokerConfigs, key, setting.value, `the broker (${setting.where})`)
      else checkUnknown(key, setting, layer.unknown)
    }
  }
  const brokerId = config['node.id'] === undefined ? strongest(layers, 'broker.id') : undefined
  if (brokerId !== undefined && Number(brokerId.value) >= 0)
    config['node.id'] = checkConfig(brokerConfigs, 'node.id', brokerId.value, `the broker (${brokerId.where})`)
  checkRoles(strongest(layers, 'process.roles'))
  checkAuthorizer(strongest(layers, 'authorizer.class.name'))
  noteVoters(strongest(layers, 'controller.quorum.voters'), notes)
  notes.push(...uselessKeys(layers))
  return { data: dataOf(layers), listeners: serveListeners(layers), config, notes }
}

function strongest(layers: readonly ConfigLayer[], ...keys: string[]): Setting | undefined {
  for (const { entries } of layers) {
    const found = keys.map((key) => entries.get(key)).find((one) => one !== undefined && one.value.trim() !== '')
    if (found !== undefined) return found
  }
  return undefined
}

/** A data directory. `log.dirs` beats `log.dir` in one source, as in Kafka. */
function dataOf(layers: readonly ConfigLayer[]): string {
  const setting = strongest(layers, 'log.dirs', 'log.dir')
  if (setting === undefined) return defaultData
  const directories = setting.value
    .split(',')
    .map((directory) => directory.trim())
    .filter((directory) => directory !== '')
  if (directories.length === 1) return directories[0]
  const message = `${setting.where} names ${directories.length} directories; Seglog keeps everything in one`
  throw new SeglogError('UNSUPPORTED', message)
}

function checkRoles(roles: Setting | undefined): void {
  if (roles === undefined) return
  const names = roles.value.split(',').map((role) => role.trim().toLowerCase())
  if (names.includes('broker')) return
  const message = `${roles.where}=${roles.value}: Seglog is a broker and needs no controllers beside it; leave this node out`
  throw new SeglogError('INVALID_CONFIG', message)
}

/** Serving everyone where someone asked for permissions would be the worst of answers. */
function checkAuthorizer(authorizer: Setting | undefined): void {
  if (authorizer === undefined) return
  const message = `${authorizer.where} asks for an authorizer, and Seglog has none yet: it would serve everybody`
  throw new SeglogError('UNSUPPORTED', message)
}

function noteVoters(voters: Setting | undefined, notes: Note[]): void {
  const count = (voters?.value ?? '').split(',').filter((voter) => voter.trim() !== '').length
  if (count < 2) return
  const text = `${voters?.where} names ${count} nodes; Seglog is one node so far, and the others will not hear of it`
  notes.push({ level: 'warn', text })
}

function isKafkas(key: string): boolean {
  return Object.hasOwn(brokerConfigs, key) || formerBrokerKeys.has(key) || key.startsWith('listener.name.')
}

function known(): string[] {
  return [...Object.keys(brokerConfigs), ...formerBrokerKeys]
}

/** Throws for a key that nobody knows, where its source leaves no doubt that it was meant for a broker. */
function checkUnknown(key: string, { where }: Setting, unknown: ConfigLayer['unknown']): void {
  if (isKafkas(key) || unknown === 'warning') return
  if (unknown === 'error' || nearest(known(), key) !== null) throw unknownConfig(known(), key, `the broker (${where})`)
}

function uselessKeys(layers: readonly ConfigLayer[]): Note[] {
  const useless = layers.flatMap(({ entries }) =>
    [...entries].filter(
      ([key]) => !readHere.has(key) && !(Object.hasOwn(brokerConfigs, key) && brokerConfigs[key].used),
    ),
  )
  const note = (level: Note['level'], what: string, texts: string[]): Note[] =>
    texts.length === 0 ? [] : [{ level, text: `${what}: ${[...new Set(texts)].sort().join(', ')}` }]
  const keys = (wanted: (key: string) => boolean) => useless.map(([key]) => key).filter(wanted)
  const unknown = useless.filter(([key]) => !isKafkas(key)).map(([key, { where }]) => withHint(key, where))
  return [
    ...note('debug', 'about other nodes of a cluster, not needed here', keys(isOfClusters)),
    ...note(
      'warn',
      "Kafka's, without effect here",
      keys((key) => isKafkas(key) && !isOfClusters(key)),
    ),
    ...note('warn', 'no configs of a broker, left alone', unknown),
  ]
}

function withHint(key: string, where: string): string {
  const near = nearest(known(), key)
  return `${where} (${key}${near === null ? '' : `; did you mean ${near}?`})`
}
