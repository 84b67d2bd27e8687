import type { SeglogLog } from '../client/log.js'
import { SeglogError } from '../errors/seglog-error.js'
import { open } from '../open.js'

/** Where a command finds its log; see `withTarget`. */
export interface TargetOptions {
  data?: string
  bootstrap?: string
  json?: boolean
}

/** A data directory, or brokers to connect to. */
export interface Target {
  readonly kind: 'directory' | 'brokers'
  /** What `open()` takes. */
  readonly path: string
}

const defaultData = './data'

/**
 * What a command works on: `--data` or `--bootstrap`, else SEGLOG_DATA or SEGLOG_BOOTSTRAP, else `./data`. Throws
 * INVALID_OPTION where two of equal rank are there, and for brokers that are no HOST:PORT.
 */
export function targetOf(options: TargetOptions, environment: NodeJS.ProcessEnv = process.env): Target {
  const said = chosen(options.data, options.bootstrap, '--data and --bootstrap')
  const set = (name: string) => environment[name] || undefined
  const { data, bootstrap } =
    said ?? chosen(set('SEGLOG_DATA'), set('SEGLOG_BOOTSTRAP'), 'SEGLOG_DATA and SEGLOG_BOOTSTRAP') ?? {}
  if (bootstrap === undefined) return { kind: 'directory', path: data ?? defaultData }
  return { kind: 'brokers', path: `kafka://${brokers(bootstrap)}` }
}

function chosen(data: string | undefined, bootstrap: string | undefined, both: string): TargetOptions | null {
  if (data !== undefined && bootstrap !== undefined) {
    const message = `${both} exclude each other: a directory of this machine, or brokers to connect to`
    throw new SeglogError('INVALID_OPTION', message)
  }
  return data === undefined && bootstrap === undefined ? null : { data, bootstrap }
}

/** The list as it was given, checked; a scheme in front is taken for what it says. */
function brokers(text: string): string {
  const list = text
    .replace(/^kafka:\/\//, '')
    .split(',')
    .map((one) => one.trim())
  for (const one of list) {
    const port = Number(/^(?:\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(one)?.[1] ?? -1)
    if (port >= 1 && port <= 65535) continue
    const message = `--bootstrap takes HOST:PORT, several with commas, got ${JSON.stringify(one.slice(0, 100))}`
    throw new SeglogError('INVALID_OPTION', message, { key: 'bootstrap' })
  }
  return list.join(',')
}

/**
 * Opens what a command works on, lets it work, and closes it. `readOnly` where nothing is changed: a directory may then be
 * in use by someone else.
 */
export async function withLog<T>(
  options: TargetOptions,
  access: 'read' | 'write',
  work: (log: SeglogLog) => Promise<T>,
): Promise<T> {
  const { kind, path } = targetOf(options)
  const log = await open(path, kind === 'directory' ? { readOnly: access === 'read' } : {})
  try {
    return await work(log)
  } finally {
    await log.close()
  }
}
