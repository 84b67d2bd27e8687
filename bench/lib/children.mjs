/** Programs measured from outside, as a user's shell would start them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const bigLogProgram = fileURLToPath(new URL('./big-log.mjs', import.meta.url))

/** Starts a program of this folder and resolves with its first output line, parsed, and the process. */
export async function firstLine(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of child.stdout) {
    text += chunk
    if (text.includes('\n')) break
  }
  if (!text.includes('\n')) throw new Error(`${args[0]} ended without a line`)
  return { line: JSON.parse(text.slice(0, text.indexOf('\n'))), child }
}

/** Milliseconds from the start of a program to its first output and to its end, and its stdout. */
export async function timed(args) {
  const start = process.hrtime.bigint()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  let firstMs = 0
  child.stdout.on('data', (chunk) => {
    if (output === '') firstMs = Number(process.hrtime.bigint() - start) / 1e6
    output += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${args.join(' ')} exited ${code}`)
  return { firstMs, ms: Number(process.hrtime.bigint() - start) / 1e6, output }
}
