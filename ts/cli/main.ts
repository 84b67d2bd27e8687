#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { version } from '../../package.json'

/** Loaded when they are asked for: most starts need one of them. */
const commands: Readonly<Record<string, () => Promise<{ register: (program: Command) => void }>>> = {
  serve: () => import('./serve.js'),
  topic: () => import('./topic.js'),
  produce: () => import('./produce.js'),
  consume: () => import('./consume.js'),
  group: () => import('./group.js'),
  lag: () => import('./lag.js'),
  log: () => import('./log.js'),
  bench: () => import('./bench.js'),
  'build-native': () => import('./build-native.js'),
}

const failed = 1
const badUsage = 2
/** Whoever called can put these right by calling otherwise. */
const usageCodes: ReadonlySet<string> = new Set([
  'INVALID_CONFIG',
  'INVALID_OPTION',
  'MISSPELLED_OPTION',
  'UNKNOWN_CONFIG',
])
/** What the command line knows and the library does not. */
const hints: Readonly<Record<string, string>> = {
  DIRECTORY_IN_USE: '; if that is `seglog serve`, give --bootstrap HOST:PORT instead of --data',
}

/** Runs one command line (without node and script); resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('seglog')
    .description(
      'A durable, Kafka-shaped log: embedded in a directory, served to Kafka clients; or any Kafka by --bootstrap.',
    )
    .version(version)
    .showSuggestionAfterError()
    .exitOverride()
  const named = args.find((one) => !one.startsWith('-')) ?? ''
  const wanted = Object.hasOwn(commands, named) ? [commands[named]] : Object.values(commands)
  for (const load of wanted) (await load()).register(program)
  for (const command of everyCommand(program)) command.exitOverride()
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return exitCodeOf(error)
  }
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...everyCommand(one)])
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version are shown by throwing; help that nobody asked for means that something was missing.
    const isShown = error.exitCode === 0 && error.code !== 'commander.help'
    return isShown ? 0 : badUsage
  }
  const { message = String(error), code } = error as { message?: string; code?: string }
  const hint = code === undefined ? '' : (hints[code] ?? '')
  process.stderr.write(`seglog: ${message}${hint}${code === undefined ? '' : ` (${code})`}\n`)
  return code !== undefined && usageCodes.has(code) ? badUsage : failed
}

if (require.main === module) {
  // A reader that has seen enough, like head, closes the pipe.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : failed))
  // Whoever does not listen to what is said about the work still wants it done.
  process.stderr.on('error', () => {})
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code
  })
}
