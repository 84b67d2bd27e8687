import { SeglogError } from '../errors/seglog-error.js'
import { type ConfigLayer, emptyLayer, type Setting } from './config-layer.js'
import { kafkaEnvironment, seglogEnvironment } from './environment-config.js'
import { readPropertiesFile } from './properties-file.js'
import { type ServeSettings, serveSettings } from './serve-settings.js'

/** What was said on the command line of `seglog serve`. */
export interface ServeFlags {
  data?: string
  host?: string
  port?: string
  advertise?: string
  /** False after `--no-auto-create-topics`. */
  autoCreateTopics?: boolean
  config?: Readonly<Record<string, string>>
  configFile?: string
}

/**
 * Everything that `seglog serve` is told, by rank: the command line, `SEGLOG_...`, `KAFKA_...` by the Apache image's
 * rules, the config file (`--config-file` or SEGLOG_CONFIG_FILE). Rejects with INVALID_CONFIG, UNKNOWN_CONFIG,
 * UNSUPPORTED, FILE_NOT_FOUND.
 */
export async function serveOptions(
  flags: ServeFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ServeSettings> {
  const file = flags.configFile ?? environment.SEGLOG_CONFIG_FILE ?? ''
  const fromFile = file === '' ? emptyLayer : await readPropertiesFile(file)
  return serveSettings([flagLayer(flags), seglogEnvironment(environment), kafkaEnvironment(environment), fromFile])
}

/** Throws INVALID_CONFIG where an option and a `--config` say the same thing twice. */
export function flagLayer(flags: ServeFlags): ConfigLayer {
  const entries = new Map<string, Setting>()
  for (const [key, value] of Object.entries(flags.config ?? {})) entries.set(key, { value, where: `--config ${key}` })
  const add = (key: string, value: string, where: string): void => {
    const other = entries.get(key)
    if (other !== undefined)
      throw new SeglogError('INVALID_CONFIG', `${where} and ${other.where} say the same: give one of them`)
    entries.set(key, { value, where })
  }
  if (flags.data !== undefined) add('log.dirs', flags.data, '--data')
  if (flags.autoCreateTopics === false) add('auto.create.topics.enable', 'false', '--no-auto-create-topics')
  const own = (value: string | undefined, where: string) => (value === undefined ? undefined : { value, where })
  return {
    entries,
    host: own(flags.host, '--host'),
    port: own(flags.port, '--port'),
    advertise: own(flags.advertise, '--advertise'),
    unknown: 'error',
  }
}
