import type { Logger } from '../log/logger.js'
import { styled, terminal } from './terminal.js'

const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]
export const logLevels: readonly LogLevel[] = levels

const styles = { debug: 'dim', info: 'dim', warn: 'yellow', error: 'red' } as const

/** Writes lines from `lowest` on to stderr: time, level, message, then the fields as name=value. */
export function stderrLogger(lowest: LogLevel, clock: () => number = Date.now): Logger {
  const line = (level: LogLevel) => {
    if (levels.indexOf(level) < levels.indexOf(lowest)) return () => {}
    return (fields: object, message: string): void => {
      const name = styled(styles[level], level.toUpperCase().padEnd(5), terminal.stderr)
      const time = new Date(clock()).toISOString()
      terminal.stderr.write(`${time} ${name} ${oneLine(message)}${Object.entries(fields).map(fieldText).join('')}\n`)
    }
  }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

function fieldText([name, value]: [string, unknown]): string {
  if (value === undefined) return ''
  if (value instanceof Error) return ` ${name}=${quoted(errorText(value))}`
  return ` ${name}=${typeof value === 'object' ? quoted(JSON.stringify(value)) : quoted(String(value))}`
}

/** What nobody has foreseen comes with the place where it happened. */
function errorText(error: Error & { code?: unknown }): string {
  const { code } = error
  if (typeof code === 'string' && code !== 'UNKNOWN_SERVER_ERROR') return `${code}: ${error.message}`
  return error.stack ?? error.message
}

function quoted(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)
}

/** What a client sent must not make up lines of its own. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
