import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const cli = join(__dirname, '..', '..', 'dist', 'cli.js')
const atRest = join(__dirname, 'at-rest.cjs')
/** Of what the server says so much is kept, from its end. */
const saidCharacters = 20_000

/** `seglog serve` as a child process that tells, when asked, what memory JavaScript holds in it. */
export class ServedProcess {
  private said = ''
  private readonly exited: Promise<void>

  private constructor(
    private readonly child: ChildProcess,
    readonly data: string,
  ) {
    this.exited = once(child, 'exit').then(() => {})
    child.stderr!.on('data', (chunk: Buffer) => {
      this.said = (this.said + chunk.toString()).slice(-saidCharacters)
    })
  }

  /** Resolves, once connections are taken, to the process and its port. */
  static async start(
    data: string,
    configs: Readonly<Record<string, string>>,
  ): Promise<{ server: ServedProcess; port: number }> {
    const serve = [cli, 'serve', '--data', data, '--port', '0', '--json', '--no-auto-create-topics']
    const settings = Object.entries(configs).flatMap(([key, value]) => ['--config', `${key}=${value}`])
    const child = spawn(process.execPath, ['--expose-gc', '--require', atRest, ...serve, ...settings], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environment(),
    })
    const server = new ServedProcess(child, data)
    return { server, port: await server.introduced() }
  }

  get pid(): number {
    return this.child.pid!
  }

  /** The last of what it wrote to its standard error. */
  get complaints(): string {
    return this.said
  }

  /** Collects its garbage; what JavaScript holds then, bytes. */
  async memoryAtRest(): Promise<NodeJS.MemoryUsage> {
    const answer = once(this.child, 'message')
    this.child.send('rest')
    const [usage] = (await Promise.race([answer, this.gone()])) as [NodeJS.MemoryUsage]
    return usage
  }

  /** Ends it in order; its exit code. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    await this.exited
    return this.child.exitCode
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  private async introduced(): Promise<number> {
    let printed = ''
    for await (const chunk of this.child.stdout!) {
      printed += chunk
      if (printed.endsWith('}\n')) return JSON.parse(printed).listeners[0].port
    }
    throw new Error(`serve ended with ${this.child.exitCode}: ${this.said}`)
  }

  private async gone(): Promise<never> {
    await this.exited
    throw new Error(`serve ended by itself with ${this.child.exitCode}: ${this.said}`)
  }
}

/** The suite's own variables are not configs of a broker. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SEGLOG_(?!NATIVE)|KAFKA_)/.test(name)))
}
