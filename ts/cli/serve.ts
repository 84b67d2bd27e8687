import type { Command } from 'commander'
import { Option } from 'commander'
import { version } from '../../package.json'
import { listen, type RunningServer } from '../server/listen.js'
import { isLoopback, type Listener } from '../server/listener.js'
import { keyValues } from './arguments.js'
import { clusterIdOf } from './environment-config.js'
import { linesToTry, ownCommand } from './own-command.js'
import { type ServeFlags, serveOptions } from './serve-options.js'
import { type LogLevel, logLevels, stderrLogger } from './stderr-logger.js'
import { printJson, say } from './terminal.js'

/** `seglog serve`: a data directory as a Kafka broker, until SIGTERM or SIGINT. */
export function register(program: Command): void {
  program
    .command('serve')
    .description('Serve a data directory to Kafka clients.')
    .option('--data <dir>', 'the data directory, or memory: for one that is gone at the end (default: ./data)')
    .option('--host <host>', 'listen on this address (default: loopback only; 0.0.0.0 for every address)')
    .option('--port <port>', 'listen on this port, 0 for any that is free (default: 9092)')
    .option('--advertise <host:port>', 'the address clients are told (default: the one they came to)')
    .option('--no-auto-create-topics', 'unknown topics are an error')
    .option('--config <key=value>', "a broker config by Kafka's name; repeatable", keyValues)
    .option('--config-file <path>', "a file of them, as Kafka's server.properties")
    .addOption(
      new Option('--log-level <level>', 'lowest level to be logged')
        .env('SEGLOG_LOG_LEVEL')
        .choices(logLevels)
        .default('warn'),
    )
    .option('--json', 'say where it listens as one JSON object on stdout')
    .action(serve)
}

interface Options extends ServeFlags {
  logLevel: LogLevel
  json?: boolean
}

const signals = { SIGINT: 2, SIGTERM: 15 } as const

async function serve(options: Options): Promise<void> {
  const logger = stderrLogger(options.logLevel)
  const { data, listeners, config, notes } = await serveOptions(options, process.env)
  const clusterId = clusterIdOf(process.env)
  for (const { level, text } of notes) logger[level]({}, text)
  const stop = stopSignal()
  try {
    const running = await listen({ data, listeners, config, clusterId, logger })
    const { clusterId: theirs } = running.broker
    if (clusterId !== undefined && theirs !== clusterId)
      logger.warn({ data, clusterId: theirs }, `the directory keeps its own cluster id; CLUSTER_ID says ${clusterId}`)
    for (const listener of running.listeners) warnIfOpen(listener, (text) => logger.warn({}, text))
    introduce(running, options)
    await stop.requested
    await running.close()
  } finally {
    stop.forget()
  }
}

/** The first signal asks for an orderly end; the second ends the process at once. */
function stopSignal(): { requested: Promise<void>; forget: () => void } {
  let request = (): void => {}
  let isRequested = false
  const requested = new Promise<void>((resolve) => {
    request = resolve
  })
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isRequested) process.exit(128 + signals[signal as keyof typeof signals])
    isRequested = true
    request()
  }
  const names = Object.keys(signals) as (keyof typeof signals)[]
  for (const name of names) process.on(name, onSignal)
  return {
    requested,
    forget: () => {
      for (const name of names) process.off(name, onSignal)
    },
  }
}

function warnIfOpen(listener: Listener, warn: (text: string) => void): void {
  if (listener.hosts.every(isLoopback)) return
  warn(`listener ${listener.name} on ${addresses(listener)}: whoever reaches it can read, write and delete everything`)
}

function introduce({ broker, listeners }: RunningServer, options: Options): void {
  const told = listeners.map((listener) => ({ name: listener.name, ...listener.endpoint(undefined) }))
  if (options.json) {
    printJson({ version, data: broker.path, clusterId: broker.clusterId, nodeId: broker.nodeId, listeners: told })
    return
  }
  const [{ host, port }] = told
  const bootstrap = isLoopback(host) ? `localhost:${port}` : hostAndPort(host, port)
  say(`seglog ${version} serves ${broker.path}`)
  for (const listener of listeners) say(`listening on ${addresses(listener)}`)
  say('try, in another terminal:')
  const command = ownCommand(process.argv[1] ?? '', process.cwd())
  for (const line of linesToTry(command, bootstrap, broker.config.flag('auto.create.topics.enable'))) say(`  ${line}`)
}

function addresses({ hosts, port }: Listener): string {
  return hosts.map((host) => hostAndPort(host, port)).join(' and ')
}

function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
