/** `seglog serve` as a child process on one port, which may be killed and started again over the same data. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const cli = join(__dirname, '..', '..', 'dist', 'cli.js')

export class ServedBroker {
  private child: ChildProcess | null = null
  private errors = ''

  private constructor(
    private readonly data: string,
    readonly port: number,
  ) {}

  /** Takes a port; starts nothing yet. */
  static async on(data: string): Promise<ServedBroker> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    server.close()
    await once(server, 'close')
    return new ServedBroker(data, port)
  }

  get target(): string {
    return `kafka://127.0.0.1:${this.port}`
  }

  /** Resolves once connections are taken. */
  async start(): Promise<void> {
    const args = [cli, 'serve', '--data', this.data, '--port', String(this.port), '--config', 'num.partitions=6']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.child = child
    child.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString()
    })
    while (!(await this.answers())) {
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${this.errors}`)
      await sleep(5)
    }
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const { child } = this
    if (child === null) return null
    this.child = null
    if (child.exitCode !== null) throw new Error(`serve had ended by itself with ${child.exitCode}: ${this.errors}`)
    const exit = once(child, 'exit')
    child.kill(signal)
    const [code] = await exit
    return code
  }

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  }
}
