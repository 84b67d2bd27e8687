// The far end of clients/program.ts: calls come as lines of JSON on stdin, answers and events leave on stdout.
const { createInterface } = require('node:readline')

/** The machine's monotonic clock in nanoseconds, the same in every process. */
const now = () => process.hrtime.bigint().toString()

function say(message) {
  process.stdout.write(
    `${JSON.stringify(message, (_, value) => (typeof value === 'bigint' ? Number(value) : value))}\n`,
  )
}

/** Tells what a group member did. */
function tell(member, on, rest, at = now()) {
  say({ member, on, at, ...rest })
}

/** Serves calls until stdin ends, then runs `close` and exits. */
function serve(handlers, close) {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const { id, call, ...args } = JSON.parse(line)
    try {
      const handler = handlers[call]
      if (handler === undefined) throw new Error(`no such call: ${call}`)
      say({ id, ok: (await handler(args)) ?? null })
    } catch (error) {
      say({ id, error: inWords(error) })
    }
  })
  lines.on('close', async () => {
    await close().catch((error) => process.stderr.write(`${inWords(error)}\n`))
    process.exit(0)
  })
}

/** An error with all that it stands on. */
function inWords(error) {
  const parts = [error?.type, error?.code, error?.apiId, error?.message ?? String(error)].filter(Boolean)
  const causes = [...(error?.errors ?? []), ...(error?.cause ? [error.cause] : [])]
  return [parts.join(' '), ...causes.map(inWords)].join(' <- ')
}

const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString())

/** Splits a list into runs of at most `size`. */
function runsOf(list, size) {
  const runs = []
  for (let at = 0; at < list.length; at += size) runs.push(list.slice(at, at + size))
  return runs
}

module.exports = { now, say, tell, serve, text, runsOf, inWords }
