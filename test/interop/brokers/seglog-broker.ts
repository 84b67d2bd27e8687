import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { BrokerUnderTest, StartOptions } from './broker-under-test.js'
import { freePort } from './free-port.js'

const program = join(__dirname, '..', '..', '..', 'dist', 'cli.js')

/**
 * `seglog serve` of the built package, in a process of its own on loopback.
 *   SEGLOG_TRANSFER=auto|off|always   how its connections are served (seglog.transfer)
 */
export class SeglogBroker implements BrokerUnderTest {
  readonly name = 'seglog'
  readonly data: string
  bootstrap = ''
  private process: ChildProcess | null = null
  private printed = ''

  constructor(data: string) {
    this.data = data
  }

  async start({ advertise, config = {}, samePort = false }: StartOptions = {}): Promise<void> {
    const port = samePort && this.bootstrap !== '' ? Number(this.bootstrap.split(':')[1]) : await freePort()
    this.bootstrap = `127.0.0.1:${port}`
    this.printed = ''
    const configs = { ...transfer, ...config }
    const child = spawn(
      process.execPath,
      [
        ...[program, 'serve', '--data', this.data, '--host', '127.0.0.1', '--port', String(port)],
        ...['--log-level', process.env.SEGLOG_INTEROP_LOG ?? 'warn'],
        ...(advertise === undefined ? [] : ['--advertise', advertise]),
        ...Object.entries(configs).flatMap(([name, value]) => ['--config', `${name}=${value}`]),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: environment() },
    )
    this.process = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.printed += chunk.toString()
      })
    }
    const deadline = Date.now() + 30_000
    while (!(await accepts(port))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`seglog did not start:\n${this.printed}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  output(): string {
    return this.printed
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process
    if (!child) return
    this.process = null
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'close')
    child.kill(signal)
    await gone
  }
}

const { SEGLOG_TRANSFER: choice } = process.env
const transfer: Record<string, string> = choice === undefined ? {} : { 'seglog.transfer': choice }

/** The suite's own variables are not configs of a broker. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SEGLOG_(?!NATIVE)|KAFKA_)/.test(name)))
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
