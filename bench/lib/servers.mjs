/**
 * The brokers side by side: Seglog's `serve` and Apache Kafka in KRaft mode from its published jars, each a process of its
 * own on loopback, watched from outside (CPU seconds, resident memory). Pinned alike: the server to the machine's last
 * core, its clients to the others, so that neither is measured by what the client leaves of the CPU.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
export const libraries = join(root, 'node_modules', '.cache', 'interop', 'libs')
const pom = join(root, 'test', 'interop', 'pom.xml')
export const serverCore = String(cpus().length - 1)
export const clientCores = cpus().length === 1 ? '0' : `0-${cpus().length - 2}`

/** Kafka's jars, fetched by Maven once; throws with what is missing. */
export function fetchKafka() {
  if (existsSync(join(libraries, '.complete'))) return
  for (const tool of ['java', 'mvn', 'taskset']) {
    if (spawnSync(tool, ['--version']).error)
      throw new Error(`needs ${tool}: apt-get install default-jre-headless maven`)
  }
  mkdirSync(libraries, { recursive: true })
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`]
  const { status, stderr } = spawnSync('mvn', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`maven could not fetch Kafka: ${stderr}`)
  writeFileSync(join(libraries, '.complete'), '')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A server process and what the system says of it. */
class Server {
  constructor(name, child, bootstrap, folder) {
    this.name = name
    this.dataFolder = join(folder, 'data')
    this.child = child
    this.bootstrap = bootstrap
    this.pid = child.pid // taskset becomes the server
  }

  /** User and system time of all its threads so far. */
  cpuSeconds() {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  residentMegabytes() {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024
  }

  async stop() {
    if (this.child.exitCode !== null) return
    this.child.kill('SIGTERM')
    await once(this.child, 'exit')
  }
}

async function start(name, folder, program, args, port) {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'server.out')
  const log = openSync(file, 'w')
  const child = spawn('taskset', ['-c', serverCore, program, ...args], { stdio: ['ignore', log, log] })
  closeSync(log)
  const server = new Server(name, child, `127.0.0.1:${port}`, folder)
  server.firstAnswerMs = await firstAnswer(server, port, file)
  return server
}

/** ApiVersions, version 0, correlation id 1, no client id. */
const question = Buffer.from('0000000a001200000000' + '0001' + 'ffff', 'hex')

/** Milliseconds until the server has answered its first request. */
async function firstAnswer(server, port, file) {
  const began = process.hrtime.bigint()
  while (!(await answered(port))) {
    const ms = Number(process.hrtime.bigint() - began) / 1e6
    if (server.child.exitCode !== null || ms > 120_000) {
      throw new Error(`${server.name} did not start:\n${readFileSync(file, 'utf8')}`)
    }
    await sleep(1)
  }
  return Number(process.hrtime.bigint() - began) / 1e6
}

function answered(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(question))
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

/**
 * `flushed`: acks=all means on disk; else the page cache, which is Kafka's own default. `config` are keys that both
 * brokers know.
 */
export async function startSeglog(folder, { flushed = false, config = {} } = {}) {
  const port = await freePort()
  const args = [join(root, 'dist', 'cli.js'), 'serve', '--data', join(folder, 'data'), '--port', String(port)]
  if (!flushed) args.push('--config', 'log.write.caching=true')
  for (const [key, value] of Object.entries(config)) args.push('--config', `${key}=${value}`)
  return start('seglog', folder, process.execPath, args, port)
}

export async function startKafka(folder, { flushed = false, config = {} } = {}) {
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = join(folder, 'server.properties')
  mkdirSync(folder, { recursive: true })
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': 1,
    'group.initial.rebalance.delay.ms': 0,
    ...(flushed ? { 'log.flush.interval.messages': 1 } : {}),
    ...config,
  }
  writeFileSync(
    properties,
    `${Object.entries(lines)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n')}\n`,
  )
  const java = ['-cp', join(libraries, '*')]
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'c2VnbG9nLWludGVyb3AtMQ', '-c', properties]
  const { status, stdout, stderr } = spawnSync('java', [...java, ...format], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Kafka cannot be set up: ${stdout}${stderr}`)
  const machine = ['-server', '-Xmx1g', '-Xms1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']
  const collector = ['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent']
  return start('kafka', folder, 'java', [...machine, ...collector, ...java, 'kafka.Kafka', properties], port)
}
