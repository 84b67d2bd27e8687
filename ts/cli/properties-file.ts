import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { SeglogError } from '../errors/seglog-error.js'
import type { ConfigLayer, Setting } from './config-layer.js'
import { withListeners } from './listener-list.js'

const fileBytesMax = 1024 * 1024

/** Reads a `.properties` file as Kafka's `server.properties` is written. Rejects with FILE_NOT_FOUND, INVALID_CONFIG. */
export async function readPropertiesFile(path: string): Promise<ConfigLayer> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'ENOENT' ? 'FILE_NOT_FOUND' : (cause.code ?? 'IO_ERROR')
    throw new SeglogError(code, `the config file ${path} cannot be read: ${cause.message}`, { path, cause })
  })
  if (bytes.length > fileBytesMax)
    throw new SeglogError('INVALID_CONFIG', `${path} is larger than ${fileBytesMax} bytes: no config file`, { path })
  const entries = parseProperties(bytes.toString('utf8'), basename(path))
  return { entries: withListeners(entries), unknown: 'error if close' }
}

/**
 * The keys and values of a `.properties` text (Java's rules, but UTF-8): comments behind `#` or `!`, a key up to `=`, `:` or
 * white space, `\` at the end of a line joins the next one, `\t \n \r \f \uXXXX` are escapes, any other escaped character
 * stands for itself. A key given twice keeps its last value. Throws INVALID_CONFIG for a broken `\u`.
 */
export function parseProperties(text: string, file: string): Map<string, Setting> {
  const entries = new Map<string, Setting>()
  for (const { line, number } of logicalLines(text)) {
    const where = `${file}:${number}`
    const end = keyEnd(line)
    const rest = line.slice(end)
    const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(rest)?.[0] ?? ''
    entries.set(unescaped(line.slice(0, end), where), { value: unescaped(rest.slice(separator.length), where), where })
  }
  return entries
}

/** Lines with their continuations joined, without blank ones and comments; numbered by where they begin. */
function* logicalLines(text: string): Generator<{ line: string; number: number }> {
  const lines = text.split(/\r\n|\r|\n/)
  for (let at = 0; at < lines.length; at++) {
    const number = at + 1
    let line = lines[at].trimStart()
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
    while (endsOpen(line) && at + 1 < lines.length) line = line.slice(0, -1) + lines[++at].trimStart()
    yield { line: endsOpen(line) ? line.slice(0, -1) : line, number }
  }
}

/** An odd number of backslashes at the end. */
function endsOpen(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1
}

function keyEnd(line: string): number {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++
    else if (/[=: \t\f]/.test(line[at])) return at
  }
  return line.length
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string, where: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, escaped: string) => {
    if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    if (escaped === 'u') throw new SeglogError('INVALID_CONFIG', `${where}: \\u needs four hexadecimal digits`)
    return escapes[escaped] ?? escaped
  })
}
