/**
 * Apache Kafka as the referee: its published jars, fetched by Maven, its tools, and a broker in KRaft mode on
 * loopback. Nothing here is used outside the interop suite.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrokerUnderTest, StartOptions } from './brokers/broker-under-test.js'
import { freePort } from './brokers/free-port.js'

const here = __dirname
const cache = join(here, '..', '..', 'node_modules', '.cache', 'interop')
const libraries = join(cache, 'libs')

/** Why the suite cannot run on this machine, or null. */
export function missingTools(): string | null {
  const absent = ['java', 'mvn'].filter((tool) => spawnSync(tool, ['-version']).status !== 0)
  return absent.length === 0 ? null : `needs ${absent.join(' and ')}: apt-get install default-jre-headless maven`
}

/** Puts Kafka's jars (version of pom.xml) into the cache, once. */
export function fetchJars(): void {
  if (existsSync(join(libraries, '.complete'))) return
  mkdirSync(libraries, { recursive: true })
  const maven = spawnSync(
    'mvn',
    ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`],
    { encoding: 'utf8' },
  )
  if (maven.status !== 0) throw new Error(`maven failed: ${maven.stdout}${maven.stderr}`)
  writeFileSync(join(libraries, '.complete'), '')
}

function javaArguments(main: string, args: readonly string[], heap = '512m'): string[] {
  return [`-Xmx${heap}`, '-XX:TieredStopAtLevel=1', '-cp', join(libraries, '*'), main, ...args]
}

/** Runs one of Kafka's tools to its end and returns its output; throws with it when the exit code is not 0. */
export function runTool(main: string, args: readonly string[], input?: string | Buffer): string {
  const run = spawnSync('java', javaArguments(main, args), { encoding: 'utf8', input, maxBuffer: 1 << 30 })
  if (run.status !== 0) throw new Error(`${main} ${args.join(' ')} exited ${run.status}\n${run.stdout}\n${run.stderr}`)
  return run.stdout
}

/** DumpLogSegments over every segment file of a partition folder, deep, indexes verified; what it says on both streams. */
export function dumpPartition(folder: string): string {
  const files = readdirSync(folder)
    .filter((name) => /\.(log|index|timeindex)$/.test(name))
    .sort()
    .map((name) => join(folder, name))
  const args = javaArguments('org.apache.kafka.tools.DumpLogSegments', ['--deep-iteration', '--files', files.join(',')])
  const run = spawnSync('java', args, { encoding: 'utf8', maxBuffer: 1 << 30 })
  return `${run.stdout}\n${run.stderr}`
}

/** One Kafka broker (and controller) on loopback over a data directory that survives `stop` and `kill`. */
export class KafkaBroker implements BrokerUnderTest {
  readonly name = 'kafka'
  readonly data: string
  bootstrap = ''
  private process: ChildProcess | null = null
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    this.data = join(folder, 'kafka-data')
  }

  async start({ advertise, config = {}, samePort = false }: StartOptions = {}): Promise<void> {
    fetchJars()
    const port = samePort && this.bootstrap !== '' ? Number(this.bootstrap.split(':')[1]) : await freePort()
    const controllerPort = await freePort()
    this.bootstrap = `127.0.0.1:${port}`
    const properties = join(this.folder, 'server.properties')
    mkdirSync(this.folder, { recursive: true })
    writeFileSync(
      properties,
      [
        'process.roles=broker,controller',
        'node.id=1',
        `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
        `advertised.listeners=PLAINTEXT://${advertise ?? this.bootstrap}`,
        'controller.listener.names=CONTROLLER',
        'inter.broker.listener.name=PLAINTEXT',
        `log.dirs=${this.data}`,
        'offsets.topic.replication.factor=1',
        'log.segment.bytes=1048576',
        'num.recovery.threads.per.data.dir=1',
        // As Seglog's default: a group of tests need not wait for members that are not there.
        'group.initial.rebalance.delay.ms=0',
        'offsets.topic.num.partitions=5',
        ...Object.entries(config).map(([name, value]) => `${name}=${value}`),
        '',
      ].join('\n'),
    )
    if (!existsSync(join(this.data, 'meta.properties'))) {
      runTool('kafka.tools.StorageTool', ['format', '-t', 'c2VnbG9nLWludGVyb3AtMQ', '-c', properties])
    }
    // A file, not a pipe: the tools run synchronously, and a broker whose pipe nobody drains stands still.
    const log = openSync(join(this.folder, 'broker.out'), 'w')
    const child = spawn('java', javaArguments('kafka.Kafka', [properties], '700m'), { stdio: ['ignore', log, log] })
    closeSync(log)
    this.process = child
    const deadline = Date.now() + 90_000
    while (!/Kafka Server started/.test(this.output())) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Kafka did not start:\n${this.output()}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** Everything the broker logged since its last start. */
  output(): string {
    return readFileSync(join(this.folder, 'broker.out'), 'utf8')
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process
    if (!child) return
    this.process = null
    if (child.exitCode !== null) return
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.kill(signal)
    })
  }

  createTopic(topic: string, partitions: number, config: Record<string, string> = {}): void {
    runTool('org.apache.kafka.tools.TopicCommand', [
      '--bootstrap-server',
      this.bootstrap,
      '--create',
      '--topic',
      topic,
      '--partitions',
      String(partitions),
      ...Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]),
    ])
  }

  /** Lines `key<TAB>value` through Kafka's console producer. */
  produce(topic: string, lines: readonly string[], compression: string): void {
    runTool(
      'org.apache.kafka.tools.ConsoleProducer',
      [
        ...['--bootstrap-server', this.bootstrap, '--topic', topic, '--compression-codec', compression],
        ...['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=\t'],
      ],
      `${lines.join('\n')}\n`,
    )
  }

  /** `partition<TAB>offset<TAB>key<TAB>value` of the first `count` records. */
  consume(topic: string, count: number): string[] {
    return runTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', this.bootstrap, '--topic', topic, '--from-beginning'],
      ...['--max-messages', String(count), '--timeout-ms', '30000'],
      ...['print.key', 'print.partition', 'print.offset'].flatMap((name) => ['--formatter-property', `${name}=true`]),
    ])
      .split('\n')
      .filter((line) => line.length > 0)
  }
}
