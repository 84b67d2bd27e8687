import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

interface Call {
  resolve(answer: unknown): void
  reject(error: Error): void
}

/**
 * A foreign program that takes calls as lines of JSON on stdin, `{ id, call, ... }`, and answers each with
 * `{ id, ok }` or `{ id, error }` on stdout; lines without an id are events.
 */
export class Program {
  private readonly child: ChildProcess
  private readonly calls = new Map<number, Call>()
  private readonly name: string
  private nextId = 1
  private errors = ''
  private gone: Error | null = null
  private readonly ended: Promise<void>

  constructor(
    command: readonly string[],
    env: Record<string, string>,
    private readonly onEvent: (event: Record<string, unknown>) => void = () => {},
  ) {
    const [program = '', ...args] = command
    this.name = command.slice(-1)[0] ?? program
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    this.child = child
    child.stdin.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-20_000)
    })
    createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => this.hear(line))
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.errors += String(error)
      })
      child.once('close', (code, signal) => {
        this.gone = new Error(`${this.name} ended (${signal ?? code})\n${this.errors}`)
        for (const call of this.calls.values()) call.reject(this.gone)
        this.calls.clear()
        resolve()
      })
    })
  }

  call<T>(call: string, args: object, limitMs = 120_000): Promise<T> {
    if (this.gone) return Promise.reject(this.gone)
    const id = this.nextId++
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.calls.delete(id)
        const shown = JSON.stringify(args).slice(0, 300)
        reject(new Error(`${this.name} did not answer ${call} ${shown} in ${limitMs} ms\n${this.errors.slice(-4000)}`))
      }, limitMs)
      const settle =
        <V>(done: (value: V) => void) =>
        (value: V) => {
          clearTimeout(timer)
          done(value)
        }
      this.calls.set(id, { resolve: settle(resolve as (value: unknown) => void), reject: settle(reject) })
      this.child.stdin?.write(`${JSON.stringify({ id, call, ...args })}\n`)
    })
  }

  /** What it wrote on stderr, the last of it. */
  get complaints(): string {
    return this.errors
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** Closes its stdin, upon which a program ends; one that does not within 15 s is killed. */
  async close(): Promise<void> {
    this.child.stdin?.end()
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000)
    await this.ended
    clearTimeout(timer)
  }

  private hear(line: string): void {
    if (!line.startsWith('{')) {
      this.errors = `${this.errors}${line}\n`.slice(-20_000)
      return
    }
    const said = JSON.parse(line) as { id?: number; ok?: unknown; error?: string } & Record<string, unknown>
    if (said.id === undefined) {
      this.onEvent(said)
      return
    }
    const call = this.calls.get(said.id)
    this.calls.delete(said.id)
    if (said.error !== undefined) call?.reject(new Error(`${this.name}: ${said.error}`))
    else call?.resolve(said.ok)
  }
}
