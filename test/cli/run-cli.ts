import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

export const cliFile = join(__dirname, '../../dist/cli.js')

/** The environment of this process without what would choose a log. */
function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: '1', SEGLOG_DATA: undefined, SEGLOG_BOOTSTRAP: undefined, ...more }
}

/** Runs the built command line to its end; `input` goes to its standard input. */
export function seglog(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cliFile, ...args], { env: environment(env) })
    const outcome: Outcome = { code: null, stdout: '', stderr: '' }
    child.stdout.on('data', (text) => {
      outcome.stdout += text
    })
    child.stderr.on('data', (text) => {
      outcome.stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...outcome, code }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** The built command line at work; killed when the test ends, if it still runs. */
export class RunningCli {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Outcome>
  private readonly child: ChildProcessWithoutNullStreams

  /** `program` runs instead of node and the command line. */
  constructor(args: readonly string[], options: { env?: NodeJS.ProcessEnv; program?: string } = {}) {
    const [program, ...before] = options.program === undefined ? [process.execPath, cliFile] : [options.program]
    const child = spawn(program, [...before, ...args], { env: environment(options.env) })
    this.child = child
    child.stdout.on('data', (text) => {
      this.stdout += text
    })
    child.stderr.on('data', (text) => {
      this.stderr += text
    })
    child.stdin.on('error', () => {})
    this.ended = new Promise((resolve) =>
      child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr })),
    )
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
  }

  /** Resolves when one of its outputs matches; rejects if it ends before. */
  async says(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = wanted.exec(this.stdout) ?? wanted.exec(this.stderr)
      if (found !== null) return found
      const { stdout, stderr } = this.child
      const more = new Promise<boolean>((resolve) => {
        for (const stream of [stdout, stderr]) stream.once('data', () => resolve(false))
      })
      const isOver = await Promise.race([more, this.ended.then(() => true)])
      if (isOver && !wanted.test(this.stdout) && !wanted.test(this.stderr))
        throw new Error(`it ended without saying ${wanted}: ${this.stdout}${this.stderr}`)
    }
  }

  types(text: string): void {
    this.child.stdin.write(text)
  }

  /** Sends a signal; resolves to how it ended. */
  signal(name: NodeJS.Signals): Promise<Outcome> {
    this.child.kill(name)
    return this.ended
  }
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seglog-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
