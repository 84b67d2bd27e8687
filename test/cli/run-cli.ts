import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the built command line; `input` goes to its standard input. */
export function seglog(args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', SEGLOG_DATA: undefined }
    const child = spawn(process.execPath, [join(__dirname, '../../dist/cli.js'), ...args], { env })
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
