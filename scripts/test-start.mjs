// `npm start` as people use it: it serves, the three commands that it prints work as pasted, SIGTERM to npm ends it cleanly
// with a client attached, and the next start needs no recovery.
//   node scripts/test-start.mjs
// Ends with `N passed, N failed`.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from './packed.mjs'
import { countLine, root } from './shared.mjs'

const limitMs = 60_000
const data = join(temporaryFolder('start'), 'data')
const counts = { passed: 0, failed: 0 }

function check(name, holds, said = '') {
  counts[holds ? 'passed' : 'failed']++
  console.log(`${holds ? 'passed' : 'failed'}: ${name}${holds ? '' : `\n${said}`}`)
}

/** A program with all it says; its group is killed if it outlives the limit. */
class Program {
  output = ''
  #child

  constructor(command, args, options = {}) {
    this.#child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (text) => {
        this.output += text
      })
    const limit = setTimeout(() => process.kill(-this.#child.pid, 'SIGKILL'), limitMs)
    this.ended = new Promise((resolve) =>
      this.#child.on('close', (code, signal) => {
        clearTimeout(limit)
        resolve(code ?? signal)
      }),
    )
  }

  /** True when the output matches, false when it ended before. */
  async says(wanted) {
    for (;;) {
      if (wanted.test(this.output)) return true
      const more = new Promise((resolve) => {
        for (const stream of [this.#child.stdout, this.#child.stderr]) stream.once('data', () => resolve(true))
      })
      if (!(await Promise.race([more, this.ended.then(() => false)]))) return wanted.test(this.output)
    }
  }

  /** Only this process, as a supervisor does it. */
  signal(name) {
    this.#child.kill(name)
    return this.ended
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

const shell = (line) => new Program('bash', ['-c', `exec 2>&1; ${line}`])
const port = await freePort()
const start = () => new Program('npm', ['start', '--', '--data', data, '--port', String(port)])

const first = start()
const isUp = await first.says(/try, in another terminal:\n(?: {2}.*\n){3}/)
check('npm start serves and says what to type', isUp, first.output)
const lines = [...first.output.matchAll(/^ {2}(.*)$/gm)].map(([, line]) => line)
check('it prints three commands', lines.length === 3, first.output)

const [write, read, look] = lines
const written = shell(write)
check(`works as pasted: ${write}`, (await written.ended) === 0, written.output)
const reader = shell(`exec ${read}`)
check(`works as pasted: ${read}`, await reader.says(/hello, log/), reader.output)
const listed = shell(look)
check(`works as pasted: ${look}`, (await listed.ended) === 0 && /hello/.test(listed.output), listed.output)

const began = Date.now()
const code = await first.signal('SIGTERM')
const tookMs = Date.now() - began
check(
  `SIGTERM ends it with code 0 while a client is attached (${tookMs} ms)`,
  code === 0,
  `ended with ${code}: ${first.output}`,
)
check('within 2 s', tookMs <= 2000)
check('the data directory was left clean', existsSync(join(data, '.kafka_cleanshutdown')))
await reader.signal('SIGINT')

const second = start()
check('it starts again on the same port', await second.says(/try, in another terminal/), second.output)
const again = shell(`${read} --exit-at-end`)
check('and has what was written', (await again.ended) === 0 && /hello, log/.test(again.output), again.output)
const third = start()
check(
  'a port that is taken is said',
  (await third.ended) !== 0 && /LISTEN_FAILED|DIRECTORY_IN_USE/.test(third.output),
  third.output,
)
check('the second one ends as well', (await second.signal('SIGTERM')) === 0, second.output)

console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
