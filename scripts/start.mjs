// `npm start`: makes the checkout runnable, then serves ./data to Kafka clients on localhost:9092.
//   npm start -- --port 9093 --data DIR     arguments go to `seglog serve`
// In one process, so that a signal sent to npm reaches the broker.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from './shared.mjs'

const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'ensure.mjs')], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const cli = join(root, 'dist', 'cli.js')
const args = process.argv.slice(2)
// The command that the broker tells people to type is the one they can type here.
process.argv = [process.execPath, cli, 'serve', ...args]
const { main } = createRequire(import.meta.url)(cli)
process.exitCode = await main(['serve', ...args])
